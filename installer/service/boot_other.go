//go:build !linux && !darwin && !windows

package service

import "context"

func boot(context.Context) string { return "" }
