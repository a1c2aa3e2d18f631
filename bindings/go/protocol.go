// SPDX-License-Identifier: MIT

package synfault

import (
	"encoding/json"
	"errors"
	"math"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Error says that synfault refused a request, or could not do its work. Only ClientFailed says anything about the client.
type Error struct{ Code, Text, Remedy string }

// Errors to compare with: errors.Is(err, synfault.TimedOut).
var (
	Unavailable = &Error{Code: "unavailable"} // this machine can't do it: skip the test
	TimedOut    = &Error{Code: "timed-out"}
	Ended       = &Error{Code: "ended"}
	// Of ExpectPass alone: the client did not do what was expected; the outcome is unknown, or a fault never fired.
	ClientFailed = &Error{Code: "client-failed"}
	Unjudged     = &Error{Code: "unjudged"}
)

func (e *Error) Error() string { return strings.TrimSuffix(e.Text+"; "+e.Remedy, "; ") }

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

type object = map[string]any
type result struct {
	Judgement
	Record, Picture, Capture      string
	Session, Attempt, Ended, Next int
	Endpoints                     []Endpoint
	Events                        []Event
	Following                     bool
}

// patience returns how long to wait for a reply, in addition to what is waited for.
func patience() time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv("SYNFAULT_PATIENCE"), 64)
	if err != nil || !(seconds >= 0.001) {
		return time.Minute
	}
	return time.Duration(math.Min(seconds, 86400) * float64(time.Second))
}

// connection is one to synfault, for one request, since a wait keeps it busy.
type connection struct {
	net.Conn
	replies *json.Decoder
	session *Session
}

// Read reads what synfault says while the session is followed; after each silence it asks whether synfault still answers.
func (c connection) Read(data []byte) (int, error) {
	for {
		c.SetReadDeadline(time.Now().Add(patience()))
		n, err := c.Conn.Read(data)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		} else if _, err = c.session.Status(); err != nil {
			return 0, err
		}
	}
}

// ask sends a request. The session ends with the connection of the first one.
func (s *Session) ask(command string, request object) (result, error) {
	reply, control, err := s.talk(command, request)
	if err == nil && command == "open" {
		s.control = control
	} else if err == nil {
		control.Close()
	}
	return reply, err
}

// talk sends a request without its zero values.
func (s *Session) talk(command string, request object) (result, connection, error) {
	path, network, token := os.Getenv("SYNFAULT_CONTROL"), "unix", os.Getenv("SYNFAULT_TOKEN")
	if strings.HasPrefix(path, "tcp:") {
		if path, network = path[4:], "tcp"; token == "" {
			return result{}, connection{}, &Error{"denied", "SYNFAULT_TOKEN is not set or empty", "it has to be synfault's token"}
		}
	}
	control, err := net.DialTimeout(network, path, patience())
	if path == "" {
		return result{}, connection{}, &Error{"unavailable", "no synfault is at hand", "run the tests under `synfault exec --`"}
	} else if err != nil {
		return result{}, connection{}, &Error{"ended", "synfault does not answer: " + err.Error(), ""}
	}
	request["command"], request["session"] = command, s.opened.Session
	for key, value := range request {
		if reflect.ValueOf(value).IsZero() {
			delete(request, key)
		}
	}
	wait, _ := request["timeout_ns"].(time.Duration)
	control.SetDeadline(time.Now().Add(patience() + wait))
	var reply struct {
		Error  *Error
		Result result
	}
	encoder, decoder := json.NewEncoder(control), json.NewDecoder(control)
	for _, one := range []object{{"command": "hello", "token": token}, request} {
		_ = encoder.Encode(one) // if this fails, no reply comes
		if err = decoder.Decode(&reply); err != nil {
			reply.Error = &Error{"ended", "synfault does not answer: " + err.Error(), ""}
		}
		if reply.Error != nil {
			control.Close()
			return result{}, connection{}, reply.Error
		}
	}
	return reply.Result, connection{control, decoder, s}, nil
}
