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
// are 0 where there is no /proc. What a process uses after the last look does not count.
func watch(pid int, executable string) func() (process, others usage) {
	stop, ended := make(chan struct{}), make(chan struct{})
	w := watcher{executable: executable, seen: map[string]usage{}, strangers: map[string]int{}}
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
				w.look(own)
				if executable != "" {
					w.lookAround()
				}
			}
		}
	}()
	return func() (process, others usage) {
		close(stop)
		<-ended
		process = w.seen[own]
		delete(w.seen, own)
		for _, u := range w.seen {
			others.peakRSS = max(others.peakRSS, u.peakRSS)
			others.cpu += u.cpu
		}
		return process, others
	}
}

// watcher collects what processes have used. The machine that it measures is the one
// that it runs on, so it looks at as little as it can.
type watcher struct {
	executable string
	seen       map[string]usage
	// strangers are the processes of other executables, and how often they were.
	strangers map[string]int
}

// enough looks tell a stranger from a process that is about to become another one:
// between fork and exec it still is its parent.
const enough = 5

// lookAround reads the usage of every process of the executable.
func (w *watcher) lookAround() {
	proc, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer func() { _ = proc.Close() }()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' || w.strangers[name] == enough {
			continue
		}
		process := filepath.Join("/proc", name)
		if target, err := os.Readlink(filepath.Join(process, "exe")); err != nil || target != w.executable {
			w.strangers[name]++
			continue
		}
		w.look(process)
	}
}

// look reads the usage of one process, unless it has ended meanwhile.
func (w *watcher) look(process string) {
	status, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil {
		return
	}
	stat, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return
	}
	if peak := peakOf(string(status)); peak > 0 { // one that has ended and waits for its parent has no memory
		w.seen[process] = usage{peakRSS: peak, cpu: cpuOf(string(stat))}
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
