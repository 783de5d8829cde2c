package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what the provider's process has used.
type usage struct {
	peakRSS int64 // bytes: VmHWM of /proc/<pid>/status
	cpu     time.Duration
}

// userHZ is the unit of /proc/<pid>/stat: 1/100 s on every Linux (man 5 proc).
const userHZ = 100

// watch looks for processes of an executable and returns a function that ends the
// watch and says what they used: the greatest peak of memory, and the processor
// time of all of them. Both are 0 where there is no /proc.
func watch(executable string) func() usage {
	stop, result := make(chan struct{}), make(chan usage)
	go func() {
		seen := map[string]usage{}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				result <- total(seen)
				return
			case <-tick.C:
				look(executable, seen)
			}
		}
	}()
	return func() usage {
		close(stop)
		return <-result
	}
}

func total(seen map[string]usage) usage {
	var sum usage
	for _, u := range seen {
		sum.peakRSS = max(sum.peakRSS, u.peakRSS)
		sum.cpu += u.cpu
	}
	return sum
}

// look reads the usage of every process of the executable.
func look(executable string, seen map[string]usage) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != executable {
			continue
		}
		process := filepath.Dir(link)
		status, err := os.ReadFile(filepath.Join(process, "status"))
		if err != nil {
			continue // it has ended meanwhile
		}
		stat, err := os.ReadFile(filepath.Join(process, "stat"))
		if err != nil {
			continue
		}
		seen[process] = usage{peakRSS: peakOf(string(status)), cpu: cpuOf(string(stat))}
	}
}

func peakOf(status string) int64 {
	for line := range strings.Lines(status) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// cpuOf reads utime and stime: the 12th and 13th field after the command's name,
// which ends in the last parenthesis.
func cpuOf(stat string) time.Duration {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	utime, _ := strconv.ParseInt(fields[11], 10, 64)
	stime, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(utime+stime) * time.Second / userHZ
}
