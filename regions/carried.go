package regions

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// CarriedKey is the file at the root of a mirror that names the regions it carries: a web server shows no list of its folders.
const CarriedKey = "ssm-setup-mirror.json"

// Carried is the content of that file.
type Carried struct {
	Regions []string `json:"regions"` // in ascending order
}

// Encode is the file's text, regions sorted and named once.
func (c Carried) Encode() []byte {
	c.Regions = slices.Compact(slices.Sorted(slices.Values(c.Regions)))
	text, _ := json.MarshalIndent(c, "", "  ") // texts always can be written
	return append(text, '\n')
}

// ParseCarried reads that file. It comes from outside: a name that is none is refused.
func ParseCarried(text []byte) (c Carried, err error) {
	if err := json.Unmarshal(text, &c); err != nil {
		return Carried{}, fmt.Errorf("%s: %w", CarriedKey, err)
	}
	for _, name := range c.Regions {
		if err := Check(name); err != nil {
			return Carried{}, fmt.Errorf("%s: %w", CarriedKey, err)
		}
	}
	return c, nil
}

// CarriedBy lists the regions that a mirror's folder has folders of. A folder that is itself one bucket has none.
func CarriedBy(dir string) (c Carried, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return c, err
	}
	for _, e := range list {
		if name, ok := strings.CutPrefix(e.Name(), Bucket("")); ok && e.IsDir() && Check(name) == nil {
			c.Regions = append(c.Regions, name)
		}
	}
	return c, nil
}
