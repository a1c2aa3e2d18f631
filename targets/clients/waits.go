// SPDX-License-Identifier: GPL-2.0-or-later
// As waits.c, in the ways of Go: waits SECONDS SLACK-MS HOST:PORT.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

var (
	wait, slack time.Duration
	server      string
)

// Each returns whether its result was right.
var waits = []struct {
	name string
	run  func() bool
}{
	{"time.Sleep", func() bool { time.Sleep(wait); return true }},
	{"time.After", func() bool { <-time.After(wait); return true }},
	{"Timer", waitsForATimer},
	{"Timer.Reset", waitsForAnotherTime},
	{"time.AfterFunc", waitsForAFunction},
	{"Ticker", countsTicks},
	{"context.WithTimeout", waitsForATimeout},
	{"context.WithDeadline, wall clock", waitsForADeadline},
	{"syscall.Nanosleep", waitsInAThread},
	{"syscall.Select", selects},
	{"Dialer.Timeout", dials},
	{"Dialer.DialContext", dialsInAContext},
	{"Conn.SetReadDeadline", reads},
	{"Conn.SetWriteDeadline", writes},
	{"Listener.SetDeadline", accepts},
	{"File.SetReadDeadline", readsAPipe},
	{"a child that sleeps", waitsForAChild},
	{"exec.CommandContext", endsAChild},
}

func waitsForATimer() bool {
	timer := time.NewTimer(wait)

	<-timer.C
	return !timer.Stop()
}

func waitsForAnotherTime() bool {
	timer := time.NewTimer(100 * wait)
	wasActive := timer.Reset(wait)

	<-timer.C
	return wasActive
}

func waitsForAFunction() bool {
	done := make(chan bool)

	time.AfterFunc(wait, func() { done <- true })
	return <-done
}

func countsTicks() bool {
	ticker := time.NewTicker(wait / 20)
	defer ticker.Stop()

	for i := 0; i < 20; i++ {
		<-ticker.C
	}
	return true
}

func ends(ctx context.Context, cancel context.CancelFunc) bool {
	defer cancel()
	<-ctx.Done()
	return ctx.Err() == context.DeadlineExceeded
}

func waitsForATimeout() bool {
	return ends(context.WithTimeout(context.Background(), wait))
}

func waitsForADeadline() bool {
	// Round(0) leaves the monotonic clock out.
	return ends(context.WithDeadline(context.Background(), time.Now().Round(0).Add(wait)))
}

func waitsInAThread() bool {
	left := syscall.NsecToTimespec(wait.Nanoseconds())

	// The runtime's own signals cut it short.
	for {
		if err := syscall.Nanosleep(&left, &left); err != syscall.EINTR {
			return err == nil
		}
	}
}

func selects() bool {
	until := time.Now().Add(wait)

	for {
		left := syscall.NsecToTimeval(time.Until(until).Nanoseconds())
		n, err := syscall.Select(0, nil, nil, nil, &left)

		if err != syscall.EINTR {
			return n == 0 && err == nil
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error

	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
}

func dials() bool {
	_, err := (&net.Dialer{Timeout: wait}).Dial("tcp", server)

	return isTimeout(err)
}

func dialsInAContext() bool {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_, err := new(net.Dialer).DialContext(ctx, "tcp", server)

	return isTimeout(err)
}

// Calls try with a connection whose other end does nothing.
func withConnection(try func(net.Conn) error) bool {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false
	}
	defer listener.Close()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return false
	}
	defer connection.Close()
	peer, err := listener.Accept()
	if err != nil {
		return false
	}
	defer peer.Close()
	return isTimeout(try(connection))
}

func reads() bool {
	return withConnection(func(connection net.Conn) error {
		connection.SetReadDeadline(time.Now().Add(wait))
		_, err := connection.Read(make([]byte, 1))
		return err
	})
}

// A pipe, since the kernel probes a TCP peer that takes nothing, by its own clock.
func writes() bool {
	reader, writer, err := os.Pipe()
	if err != nil {
		return false
	}
	defer reader.Close()
	defer writer.Close()
	writer.SetWriteDeadline(time.Now().Add(wait))
	for err == nil {
		_, err = writer.Write(make([]byte, 4096))
	}
	return isTimeout(err)
}

func accepts() bool {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return false
	}
	defer listener.Close()
	listener.SetDeadline(time.Now().Add(wait))
	_, err = listener.Accept()
	return isTimeout(err)
}

func readsAPipe() bool {
	reader, writer, err := os.Pipe()
	if err != nil {
		return false
	}
	defer reader.Close()
	defer writer.Close()
	reader.SetReadDeadline(time.Now().Add(wait))
	_, err = reader.Read(make([]byte, 1))
	return isTimeout(err)
}

func sleep(seconds time.Duration) []string {
	return []string{"sleep", strconv.FormatFloat(seconds.Seconds(), 'f', -1, 64)}
}

func waitsForAChild() bool {
	words := sleep(wait)

	return exec.Command(words[0], words[1:]...).Run() == nil
}

func endsAChild() bool {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	words := sleep(100 * wait)
	command := exec.CommandContext(ctx, words[0], words[1:]...)

	return command.Run() != nil && command.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

func main() {
	status := 0
	seconds, _ := strconv.Atoi(os.Args[1])
	milliseconds, _ := strconv.Atoi(os.Args[2])

	wait, slack = time.Duration(seconds)*time.Second, time.Duration(milliseconds)*time.Millisecond
	server = os.Args[3]
	for _, one := range waits {
		began := time.Now()
		right := one.run()
		ended := time.Now()
		took := []time.Duration{ended.Sub(began), ended.Round(0).Sub(began.Round(0))}

		for _, one := range took {
			right = right && one > wait-time.Millisecond && one < wait+slack
		}
		verdict := "right"
		if !right {
			verdict, status = "WRONG", 1
		}
		fmt.Printf("%-36s %d ms %d ms %s\n", one.name, took[0].Milliseconds(), took[1].Milliseconds(), verdict)
	}
	os.Exit(status)
}
