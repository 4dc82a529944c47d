//go:build unix && !linux && !darwin

package host

import (
	"errors"
	"time"
)

func ended(int) bool { return false }

// ProcessExecutable is the file a process runs; this system does not tell.
func ProcessExecutable(int) (string, error) { return "", errors.ErrUnsupported }

// ProcessArguments is the command line of a process; this system does not tell.
func ProcessArguments(int) ([]string, error) { return nil, errors.ErrUnsupported }

// ProcessStart is when a process started; this system does not tell.
func ProcessStart(int) (time.Time, error) { return time.Time{}, errors.ErrUnsupported }

// Processes are the ids of all processes; this system does not tell.
func Processes() ([]int, error) { return nil, errors.ErrUnsupported }
