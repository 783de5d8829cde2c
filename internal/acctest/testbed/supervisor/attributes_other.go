//go:build !linux

package main

import "syscall"

// Elsewhere there is no parent-death signal: the pipe alone has to do.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
