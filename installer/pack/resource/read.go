package resource

import (
	"fmt"
	"io"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

// Read finds the version that a program states and its language (1033: American English).
func Read(program io.ReadSeeker) (v [4]uint16, language int, err error) {
	set, err := winres.LoadFromEXE(program)
	if err != nil {
		return v, 0, fmt.Errorf("%w: %w", ErrNone, err)
	}
	err = ErrNone
	set.WalkType(winres.RT_VERSION, func(_ winres.Identifier, _ uint16, data []byte) bool {
		info, fault := version.FromBytes(data)
		if fault != nil {
			err = fmt.Errorf("%w: %w", ErrNone, fault)
			return false
		}
		for id := range info.Table() {
			language = max(language, int(id))
		}
		v, err = info.FileVersion, nil
		return false
	})
	return v, language, err
}
