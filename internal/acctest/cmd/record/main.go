// Command record runs a command and records what it prints: whole, with its pace, as
// an asciicast, and in digest as a picture for README.md.
//
//	go run ./internal/acctest/cmd/record examples/demo/recording make demo
//
// writes recording.cast (asciinema play recording.cast) and recording.svg. It ends as
// the command does, and writes nothing when that fails.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: record <file without extension> <command>...")
		os.Exit(2)
	}
	if err := record(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// line is one that the command has printed, without its line break.
type line struct {
	at   time.Duration // since the start
	text string
}

func record(file string, command []string) error {
	lines, err := run(command)
	if err != nil {
		return err
	}
	cast, err := asciicast(lines)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".cast", cast, 0o644); err != nil {
		return err
	}
	return os.WriteFile(file+".svg", picture(digest(lines)), 0o644)
}

// run runs the command, shows its standard output and returns it.
func run(command []string) ([]line, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // ends with its child, which Ctrl-C reaches by itself
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var lines []line
	began := time.Now()
	for scanner := bufio.NewScanner(io.TeeReader(stdout, os.Stdout)); scanner.Scan(); {
		lines = append(lines, line{at: time.Since(began), text: scanner.Text()})
	}
	return lines, cmd.Wait()
}
