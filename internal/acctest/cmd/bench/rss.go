package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watchRSS looks for processes of an executable and returns a function that ends
// the watch and says their greatest peak of resident memory in bytes: VmHWM of
// /proc/<pid>/status, 0 where there is no /proc.
func watchRSS(executable string) func() int64 {
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				result <- peak
				return
			case <-tick.C:
				peak = max(peak, currentPeak(executable))
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-result
	}
}

func currentPeak(executable string) int64 {
	var peak int64
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != executable {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if err != nil {
			continue // it has ended meanwhile
		}
		for line := range strings.Lines(string(status)) {
			var kilobytes string
			if n, _ := fmt.Sscanf(line, "VmHWM: %s kB", &kilobytes); n == 1 {
				value, _ := strconv.ParseInt(kilobytes, 10, 64)
				peak = max(peak, value*1024)
			}
		}
	}
	return peak
}
