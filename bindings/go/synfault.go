// SPDX-License-Identifier: MIT

// Package synfault injects connection faults from a test's own code, under `synfault exec -- go test`.
// After the test, a session that it has not closed is judged: a failure of the client fails it with the findings, an
// unknown outcome with an error that says so. What the machine can't do skips it. Tests may be parallel.
package synfault

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Endpoint says how many attempts there were at an endpoint, how many ended how, and what the next one gets.
type Endpoint struct {
	Name, Script, Next                                               string
	Addresses                                                        []string
	Attempts, Refused, Established, Abandoned, Rejected, Unreachable int
	TimedOut                                                         int `json:"timed-out"`
	Open                                                             int
	NextStep                                                         int `json:"next_step"`
}

// Event is something that happened, as in a record: to an attempt with this number at an endpoint, unless it is 0.
type Event struct {
	Kind, Endpoint, Verdict, Fault string
	Seq, Number, Step              int
	At                             time.Duration `json:"at_ns"` // since the faults were armed
	Count                          int           // of "lost": how many events, from Seq on
}

// Options are what Open takes: endpoints, or one scenario in a file or a text.
type Options struct {
	Name      string   // in reports
	Endpoints []string // "NAME=STEPS"; "STEPS" alone is an endpoint called server
	Text      string   // the text of a scenario, YAML or JSON
	File      string   // a scenario file
	Scenario  string   // which of its scenarios, if there are several
}

// Session has endpoints with faults. Where a method takes an endpoint, "" is the first one.
type Session struct {
	control   net.Conn // of its first request: the session ends with it
	opened    result
	closing   sync.Once
	judgement *Judgement // nil: the session is open
	failure   error
}

// Open opens a session that the caller has to close. When it returns, the faults are armed.
func Open(options Options) (session *Session, err error) {
	var endpoints []object
	for _, endpoint := range options.Endpoints {
		name, steps, found := strings.Cut(endpoint, "=")
		if !found {
			name, steps = "server", endpoint
		}
		endpoints = append(endpoints, object{"name": name, "faults": steps})
	}
	if options.File != "" {
		options.File, _ = filepath.Abs(options.File)
	}
	session = &Session{}
	session.opened, err = session.ask("open", object{"name": options.Name, "endpoints": endpoints, "file": options.File,
		"scenario": options.Scenario, "source": options.Text})
	return session, err
}

// New opens a session of endpoints for a test: session := synfault.New(t, "api=refuse x2, accept", "db=drop").
func New(t testing.TB, endpoints ...string) *Session {
	t.Helper()
	return NewFrom(t, Options{Endpoints: endpoints})
}

// NewFrom opens a session for a test, and judges it when the test has ended.
func NewFrom(t testing.TB, options Options) *Session {
	t.Helper()
	if options.Name == "" {
		options.Name = t.Name()
	}
	session, err := Open(options)
	if errors.Is(err, Unavailable) {
		t.Skip(err)
	} else if err != nil {
		t.Fatalf("synfault: %v", err)
	}
	t.Cleanup(func() {
		if session.judgement != nil {
			return
		} else if err := session.ExpectPass(); errors.Is(err, ClientFailed) {
			t.Error(err)
		} else if err != nil {
			t.Errorf("synfault could not judge: %v", err)
		}
	})
	return session
}

// Addr returns "host:port" of an endpoint, by default of the first one.
func (s *Session) Addr(endpoint ...string) string {
	for _, one := range s.opened.Endpoints {
		if len(endpoint) == 0 || endpoint[0] == one.Name {
			return one.Addresses[0]
		}
	}
	return ""
}

// Faults replaces the faults of an endpoint; it returns the number of the first attempt that gets the new ones.
func (s *Session) Faults(endpoint, steps string) (attempt int, err error) {
	reply, err := s.ask("faults", object{"endpoint": endpoint, "steps": steps})
	return reply.Attempt, err
}

// Hold holds an attempt, 0 is the next one, until it is released, or let through after a limit; it returns its number.
func (s *Session) Hold(endpoint string, attempt int, limit time.Duration) (held int, err error) {
	reply, err := s.ask("hold", object{"endpoint": endpoint, "attempt": attempt, "limit_ns": limit})
	return reply.Attempt, err
}

// Release decides about an attempt that is held: "accept", "refuse", "drop" or "unreachable KIND".
func (s *Session) Release(endpoint string, attempt int, verdict string) error {
	_, err := s.ask("release", object{"endpoint": endpoint, "attempt": attempt, "verdict": verdict})
	return err
}

// Wait waits until an attempt (from 1) at an endpoint has had an event: "syn", "verdict", "established", "closed", …
func (s *Session) Wait(event, endpoint string, attempt int, timeout time.Duration) error {
	_, err := s.ask("wait", object{"endpoint": endpoint, "event": event, "attempt": attempt, "timeout_ns": timeout})
	return err
}

// Attempts counts the connection attempts so far at an endpoint; "": at all of them.
func (s *Session) Attempts(endpoint string) (n int, err error) {
	endpoints, err := s.Status()
	for _, one := range endpoints {
		if endpoint == "" || endpoint == one.Name {
			n += one.Attempts
		}
	}
	return n, err
}

// Status returns the endpoints with their attempts so far.
func (s *Session) Status() ([]Endpoint, error) {
	reply, err := s.ask("status", object{})
	return reply.Endpoints, err
}

// Restart begins outages with "from command" at an endpoint, "" is all of them, for some time, 0 is that of the step. It
// returns how many connections they ended.
func (s *Session) Restart(endpoint string, lasts time.Duration) (ended int, err error) {
	reply, err := s.ask("restart", object{"endpoint": endpoint, "for_ns": lasts})
	return reply.Ended, err
}

// Events returns all events so far, from a sequence number on.
func (s *Session) Events(since int) (events []Event, err error) {
	for {
		reply, err := s.ask("events", object{"since": since})
		if events, since = append(events, reply.Events...), reply.Next; err != nil || len(reply.Events) == 0 {
			return events, err
		}
	}
}

// Follow calls a function with all events from a sequence number on, as they happen, until the session has ended, or the
// function returns false. If it is too slow, an event "lost" says how many are missing.
func (s *Session) Follow(since int, each func(Event) bool) error {
	for {
		reply, control, err := s.talk("events", object{"since": since, "follow": true})
		if err != nil {
			return err
		}
		defer control.Close()
		for _, event := range reply.Events {
			if !each(event) {
				return nil
			}
		}
		since = reply.Next
		if !reply.Following {
			control.Close()
			continue
		}
		lines := json.NewDecoder(io.MultiReader(control.replies.Buffered(), control))
		for line := struct{ Event Event }{}; ; line.Event = (Event{}) {
			if err := lines.Decode(&line); err != nil {
				return &Error{"ended", "synfault has ended: " + err.Error(), ""}
			} else if line.Event.Kind == "end" || !each(line.Event) {
				return nil
			}
		}
	}
}

// Check judges what has happened so far.
func (s *Session) Check() (*Judgement, error) {
	reply, err := s.ask("check", object{})
	return &reply.Judgement, err
}

// Close ends the session and judges it, so that the end of the test does not. A second call returns the same.
func (s *Session) Close() (*Judgement, error) {
	s.closing.Do(func() {
		reply, err := s.ask("close", object{})
		s.judgement, s.failure = &reply.Judgement, err
		s.control.Close()
	})
	return s.judgement, s.failure
}

// ExpectPass closes the session. Unless the client did what was expected, it returns an error with the findings.
func (s *Session) ExpectPass() error {
	judgement, err := s.Close()
	if err == nil && judgement.Outcome == "fail" {
		return &Error{ClientFailed.Code, judgement.String(), ""}
	} else if err == nil && judgement.Outcome == "error" {
		return &Error{Unjudged.Code, judgement.String(), ""}
	}
	return err
}

// Artefacts writes files about a closed session, and returns their paths; without a capture of packets that is empty.
func (s *Session) Artefacts(directory string) (record, picture, capture string, err error) {
	directory, _ = filepath.Abs(directory)
	reply, err := s.ask("artefacts", object{"directory": directory})
	return reply.Record, reply.Picture, reply.Capture, err
}
