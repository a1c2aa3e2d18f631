// SPDX-License-Identifier: MIT

// Package example tests the retries of a small client, under `synfault exec -- go test ./example`.
//
// EXAMPLE_RETRIES is how often the client retries; with less than 2 it is wrong, and tests fail.
package example

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"synfault.invalid/synfault"
)

// The client under test.
func connectWithRetries(address string) error {
	retries, err := strconv.Atoi(os.Getenv("EXAMPLE_RETRIES"))
	if err != nil {
		retries = 3
	}
	for attempt := 0; ; attempt++ {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return connection.Close()
		} else if attempt == retries {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestRefusalsAreRetried(t *testing.T) {
	t.Parallel()
	session := synfault.New(t, "api=refuse x2, accept")
	if err := connectWithRetries(session.Addr()); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait("established", "api", 3, time.Second); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Attempts(""); n != 3 || err != nil {
		t.Fatalf("%d attempts, not 3 (%v)", n, err)
	}
}

func TestScenarioIsJudgedWhenTheTestHasEnded(t *testing.T) {
	t.Parallel()
	session := synfault.NewFrom(t, synfault.Options{Text: `
name: three attempts and no more
endpoints: {api: {faults: [refuse x2, accept]}}
expect: {attempts: 3}
`})
	connectWithRetries(session.Addr("api"))
}

func TestFaultThatNeverFiredIsAnError(t *testing.T) {
	t.Parallel()
	connectWithRetries(synfault.New(t, "refuse x2").Addr())
}

func TestSessionIsJudgedWhereTheTestWantsIt(t *testing.T) {
	t.Parallel()
	session := synfault.NewFrom(t, synfault.Options{Text: `
name: a second attempt follows
endpoints: {api: {faults: [refuse]}}
expect: {attempts: 2}
`})
	if _, err := net.Dial("tcp", session.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the attempt ended with %v", err)
	}
	if err := session.ExpectPass(); !errors.Is(err, synfault.ClientFailed) {
		t.Fatalf("a client without a second attempt: %v", err)
	}
}

func TestSessionsAreSideBySide(t *testing.T) {
	t.Parallel()
	hole, server := synfault.New(t, "api=drop"), synfault.New(t, "accept")
	if _, err := net.DialTimeout("tcp", hole.Addr("api"), 200*time.Millisecond); !os.IsTimeout(err) {
		t.Fatalf("the connection to a black hole ended with %v", err)
	}
	if err := connectWithRetries(server.Addr()); err != nil {
		t.Fatal(err)
	}
	if n, err := hole.Attempts("api"); n != 1 || err != nil {
		t.Fatalf("%d attempts, not 1 (%v)", n, err)
	}
	if err := hole.Wait("established", "api", 1, time.Millisecond); !errors.Is(err, synfault.TimedOut) {
		t.Fatalf("the wait ended with %v", err)
	}
	if err := server.ExpectPass(); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsCanBeReplacedAndAttemptsHeld(t *testing.T) {
	t.Parallel()
	session := synfault.New(t, "api=refuse")
	if _, err := net.Dial("tcp", session.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the first attempt ended with %v", err)
	}
	if attempt, err := session.Faults("api", "accept"); attempt != 2 || err != nil {
		t.Fatal(attempt, err)
	}
	if err := connectWithRetries(session.Addr()); err != nil {
		t.Fatal(err)
	}
	held, err := session.Hold("api", 0, 10*time.Second)
	if held != 3 || err != nil {
		t.Fatal(held, err)
	}
	ended := make(chan error)
	go func() {
		_, err := net.Dial("tcp", session.Addr())
		ended <- err
	}()
	if err := session.Wait("syn", "api", held, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := session.Release("api", held, "refuse"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the attempt that was held ended with %v", err)
	}
}

func TestOutagesBeginAtACommand(t *testing.T) {
	t.Parallel()
	session := synfault.New(t, "api=restart 1s from command, accept")
	connection, err := net.Dial("tcp", session.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := session.Wait("established", "api", 1, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if ended, err := session.Restart("", 100*time.Millisecond); ended != 1 || err != nil {
		t.Fatal(ended, err)
	}
	var fault synfault.Event
	err = session.Follow(0, func(event synfault.Event) bool { // those so far, then further ones as they happen
		fault = event
		return event.Kind != "fault"
	})
	if err != nil || fault.Fault != "reset" || fault.Number != 1 {
		t.Fatal(fault, err)
	}
	if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the connection ended with %v", err)
	}
	if events, err := session.Events(fault.Seq); err != nil || len(events) == 0 || events[0] != fault {
		t.Fatal(events, err)
	}
}

func TestArtefactsAreWrittenAfterTheEnd(t *testing.T) {
	t.Parallel()
	session := synfault.New(t, "accept")
	if err := connectWithRetries(session.Addr()); err != nil {
		t.Fatal(err)
	}
	if judgement, err := session.Close(); err != nil || judgement.Outcome != "pass" {
		t.Fatal(judgement, err)
	}
	record, picture, _, err := session.Artefacts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{record, picture} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsImpossibleHereIsSkipped(t *testing.T) {
	t.Parallel()
	session := synfault.NewFrom(t, synfault.Options{Text: `
name: named
endpoints: {api: {hostname: api.example.test}}
`})
	connectWithRetries(session.Addr())
}
