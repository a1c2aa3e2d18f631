// SPDX-License-Identifier: MIT

// Package synfault injects connection faults from a test's own code, under `synfault exec -- go test`.
//
//	session := synfault.New(t, "refuse x2, accept")
//	err := client.Get(session.Addr())
//
// After the test, a session that it has not closed is judged: a failure of the client fails it with the findings, an
// unknown outcome with an error that says so. What the machine can't do skips it. Tests may be parallel.
package synfault

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Error says that synfault refused a request, or could not do its work. It says nothing about the client.
type Error struct{ Code, Text, Remedy string }

// Errors to compare with: errors.Is(err, synfault.TimedOut).
var (
	Unavailable = &Error{Code: "unavailable"} // this machine can't do it: skip the test
	TimedOut    = &Error{Code: "timed-out"}
	Ended       = &Error{Code: "ended"}
)

func (e *Error) Error() string {
	return strings.TrimSuffix(e.Text+"; "+e.Remedy, "; ")
}

// Is compares errors by their code.
func (e *Error) Is(other error) bool {
	known, ok := other.(*Error)
	return ok && known.Code == e.Code
}

// Finding says what is wrong with a client; what is unknown is empty.
type Finding struct {
	Type, Subject, Expected, Actual, Message string
	Attempt                                  int
}

// Judgement is what a session means: its outcome is pass, fail, error (unknown, or a fault never fired) or skip.
type Judgement struct {
	Outcome  string
	Findings []Finding
}

func (j *Judgement) String() string {
	text := j.Outcome
	for _, finding := range j.Findings {
		text += "\n  " + finding.Message
	}
	return text
}

// Options are what Open takes: endpoints, or one scenario in a file or a text.
type Options struct {
	Name      string   `json:"name,omitempty"`     // in reports
	Endpoints []string `json:"-"`                  // "NAME=STEPS"; "STEPS" alone is an endpoint called server
	File      string   `json:"file,omitempty"`     // a scenario file
	Scenario  string   `json:"scenario,omitempty"` // which of its scenarios, if there are several
	Text      string   `json:"source,omitempty"`   // the text of a scenario, YAML or JSON
}

// Session has endpoints with faults.
type Session struct {
	number    int
	names     []string
	addresses map[string]string
	closed    bool
	lock      sync.Mutex
	control   *connection
}

type object = map[string]any

type status struct {
	Session   int
	Endpoints []struct {
		Name      string
		Addresses []string
		Attempts  int
	}
}

type connection struct {
	net.Conn
	lines *bufio.Reader
}

func dial() (*connection, error) {
	path := os.Getenv("SYNFAULT_CONTROL")
	if path == "" {
		return nil, &Error{"unavailable", "no synfault is at hand", "run the tests under `synfault exec --`"}
	}
	socket, err := net.Dial("unix", path)
	if err != nil {
		return nil, &Error{"ended", "synfault does not listen: " + err.Error(), ""}
	}
	return &connection{socket, bufio.NewReader(socket)}, nil
}

// ask sends a request and decodes the result of its reply.
func (c *connection) ask(request any, wait time.Duration, result any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	c.SetDeadline(time.Now().Add(60*time.Second + wait))
	if _, err = c.Write(append(line, '\n')); err == nil {
		line, err = c.lines.ReadBytes('\n')
	}
	if err != nil {
		c.Conn.Close() // a late reply would be taken for that of the next request
		return &Error{"ended", "synfault does not answer: " + err.Error(), ""}
	}
	var reply struct {
		Error  *Error
		Result json.RawMessage
	}
	if err = json.Unmarshal(line, &reply); err != nil {
		return err
	} else if reply.Error != nil {
		return reply.Error
	}
	return json.Unmarshal(reply.Result, result)
}

// Open opens a session that the caller has to close. When it returns, the faults are armed.
func Open(options Options) (*Session, error) {
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
	request := struct {
		Command string `json:"command"`
		Options
		Endpoints []object `json:"endpoints,omitempty"`
	}{"open", options, endpoints}
	control, err := dial()
	if err != nil {
		return nil, err
	}
	var opened status
	if err = control.ask(request, 0, &opened); err != nil {
		control.Close()
		return nil, err
	}
	session := &Session{number: opened.Session, control: control, addresses: map[string]string{}}
	for _, endpoint := range opened.Endpoints {
		session.names = append(session.names, endpoint.Name)
		session.addresses[endpoint.Name] = endpoint.Addresses[0]
	}
	return session, nil
}

// New opens a session of endpoints for a test: synfault.New(t, "api=refuse x2, accept", "db=drop").
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
		if session.closed {
			return
		} else if judgement, err := session.Close(); err != nil {
			t.Errorf("synfault could not judge: %v", err)
		} else if judgement.Outcome == "error" {
			t.Errorf("synfault could not judge: %v", judgement)
		} else if judgement.Outcome == "fail" {
			t.Error(judgement)
		}
	})
	return session
}

// Addr returns "host:port" of an endpoint, by default of the first one.
func (s *Session) Addr(endpoint ...string) string {
	return s.addresses[append(endpoint, s.names...)[0]]
}

// ask sends a request about the session.
func (s *Session) ask(request object, result any) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	request["session"] = s.number
	return s.control.ask(request, 0, result)
}

func (s *Session) askAttempt(request object) (int, error) {
	var reply struct{ Attempt int }
	err := s.ask(request, &reply)
	return reply.Attempt, err
}

// Faults replaces the faults of an endpoint; it returns the number of the first attempt that gets the new ones.
func (s *Session) Faults(endpoint, steps string) (attempt int, err error) {
	return s.askAttempt(object{"command": "faults", "endpoint": endpoint, "steps": steps})
}

// Hold holds the next attempt at an endpoint until it is released, or let through after a limit; it returns its number.
func (s *Session) Hold(endpoint string, limit time.Duration) (attempt int, err error) {
	return s.askAttempt(object{"command": "hold", "endpoint": endpoint, "limit_ns": limit.Nanoseconds()})
}

// Release decides about an attempt that is held: "accept", "refuse", "drop" or "unreachable KIND".
func (s *Session) Release(endpoint string, attempt int, verdict string) error {
	_, err := s.askAttempt(object{"command": "release", "endpoint": endpoint, "attempt": attempt, "verdict": verdict})
	return err
}

// Wait waits until an attempt (from 1) at an endpoint has had an event: "syn", "verdict", "established", "closed", …
func (s *Session) Wait(event, endpoint string, attempt int, timeout time.Duration) error {
	own, err := dial() // other goroutines need the session's connection
	if err != nil {
		return err
	}
	defer own.Close()
	return own.ask(object{"command": "wait", "session": s.number, "endpoint": endpoint,
		"event": event, "attempt": attempt, "timeout_ns": timeout.Nanoseconds()}, timeout, &object{})
}

// Attempts counts the connection attempts so far at an endpoint; "": at all of them.
func (s *Session) Attempts(endpoint string) (n int, err error) {
	var now status
	err = s.ask(object{"command": "status"}, &now)
	for _, one := range now.Endpoints {
		if endpoint == "" || endpoint == one.Name {
			n += one.Attempts
		}
	}
	return n, err
}

// Check judges what has happened so far.
func (s *Session) Check() (*Judgement, error) {
	judgement := &Judgement{}
	return judgement, s.ask(object{"command": "check"}, judgement)
}

// Close ends the session and judges it. The test that opened it no longer does.
func (s *Session) Close() (*Judgement, error) {
	judgement := &Judgement{}
	err := s.ask(object{"command": "close"}, judgement)
	s.closed = true
	s.control.Close()
	return judgement, err
}
