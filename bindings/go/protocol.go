// SPDX-License-Identifier: MIT

package synfault

import (
	"encoding/json"
	"net"
	"os"
	"reflect"
	"strings"
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

func (e *Error) Error() string { return strings.TrimSuffix(e.Text+"; "+e.Remedy, "; ") }

// Is compares errors by their code.
func (e *Error) Is(other error) bool {
	known, ok := other.(*Error)
	return ok && known.Code == e.Code
}

type object = map[string]any
type result struct {
	Judgement
	Record, Picture, Capture string
	Session, Attempt         int
	Endpoints                []struct {
		Name      string
		Addresses []string
		Attempts  int
	}
}

// patience returns how long to wait for a reply, in addition to what is waited for.
func patience() time.Duration {
	patience, err := time.ParseDuration(os.Getenv("SYNFAULT_PATIENCE") + "s")
	if err != nil {
		return time.Minute
	}
	return patience
}

// ask sends a request without its zero values, on a connection of its own, since a wait keeps that busy.
func (s *Session) ask(command string, request object) (result, error) {
	path, network, token := os.Getenv("SYNFAULT_CONTROL"), "unix", os.Getenv("SYNFAULT_TOKEN")
	if strings.HasPrefix(path, "tcp:") {
		if path, network = path[4:], "tcp"; token == "" {
			return result{}, &Error{"denied", "SYNFAULT_TOKEN is not set or empty", "it has to be synfault's token"}
		}
	}
	control, err := net.DialTimeout(network, path, patience())
	if path == "" {
		return result{}, &Error{"unavailable", "no synfault is at hand", "run the tests under `synfault exec --`"}
	} else if err != nil {
		return result{}, &Error{"ended", "synfault does not listen: " + err.Error(), ""}
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
			return result{}, reply.Error
		}
	}
	if command != "open" {
		return reply.Result, control.Close()
	}
	s.control = control
	return reply.Result, nil
}
