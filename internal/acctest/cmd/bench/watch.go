package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a process has used.
type usage struct {
	peakRSS int64 // bytes: VmHWM of /proc/<pid>/status
	cpu     time.Duration
}

// userHZ is the unit of /proc/<pid>/stat: 1/100 s on every Linux (man 5 proc).
const userHZ = 100

// watchEvery is short beside a command, and long beside a look through /proc.
const watchEvery = 20 * time.Millisecond

// watch looks at a process and at those of an executable, and returns a function that
// ends the watch and says what they used: the peak of memory of the process, and of
// the executable's processes the greatest peak and the processor time of all. All
// are 0 where there is no /proc, and of a process that was seen only once nothing
// later than that counts.
func watch(pid int, executable string) func() (process, others usage) {
	stop, ended := make(chan struct{}), make(chan struct{})
	seen := map[string]usage{}
	own := filepath.Join("/proc", strconv.Itoa(pid))
	go func() {
		defer close(ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				look(own, seen)
				if executable != "" {
					lookFor(executable, seen)
				}
			}
		}
	}()
	return func() (process, others usage) {
		close(stop)
		<-ended
		process = seen[own]
		delete(seen, own)
		for _, u := range seen {
			others.peakRSS = max(others.peakRSS, u.peakRSS)
			others.cpu += u.cpu
		}
		return process, others
	}
}

// lookFor reads the usage of every process of the executable.
func lookFor(executable string, seen map[string]usage) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == executable {
			look(filepath.Dir(link), seen)
		}
	}
}

// look reads the usage of one process, unless it has ended meanwhile.
func look(process string, seen map[string]usage) {
	status, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil {
		return
	}
	stat, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return
	}
	if peak := peakOf(string(status)); peak > 0 { // one that has ended and waits for its parent has no memory
		seen[process] = usage{peakRSS: peak, cpu: cpuOf(string(stat))}
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

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
