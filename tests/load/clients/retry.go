// SPDX-License-Identifier: GPL-2.0-or-later
// As retry.c: retry HOST:PORT TRIES BASE FACTOR [TIMEOUT].
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

func number(index int) float64 {
	if index >= len(os.Args) {
		return 0
	}
	value, err := strconv.ParseFloat(os.Args[index], 64)
	if err != nil {
		os.Exit(2)
	}
	return value
}

func seconds(value float64) time.Duration {
	return time.Duration(value * float64(time.Second))
}

func main() {
	dialer := net.Dialer{Timeout: seconds(number(5))}
	pause := number(3)

	for left := int(number(2)); left > 0; left-- {
		connection, err := dialer.Dial("tcp", os.Args[1])
		if err == nil {
			connection.Close()
			return
		}
		fmt.Fprintln(os.Stderr, err)
		if left > 1 {
			time.Sleep(seconds(pause))
		}
		pause *= number(4)
	}
	os.Exit(1)
}
