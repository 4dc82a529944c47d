package local

import "time"

type knobs struct{}

func (k *knobs) tokenLife() time.Duration { return 0 }

type calls struct{ bodies bool }
