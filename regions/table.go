package regions

import (
	"fmt"
	"slices"
	"strings"
)

// Local is the name of the local region unless it is given another.
const Local = "local"

// LocalEndpoint is where `ssm-setup local` listens unless told otherwise.
const LocalEndpoint = "http://127.0.0.1:7700"

// known are the regions of every partition, as published.
var known = []string{
	"af-south-1",
	"ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"ca-central-1", "ca-west-1",
	"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
	"il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2",
	"cn-north-1", "cn-northwest-1",
	"us-gov-east-1", "us-gov-west-1",
	"us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "eu-isoe-west-1",
	"eusc-de-east-1",
}

// All are the known AWS regions, the public partition first. The local region is not among them: it has no fixed address.
func All() []string { return slices.Clone(known) }

// Public are the regions that the open internet reaches: all but the isolated partitions.
func Public() []string {
	return slices.DeleteFunc(All(), func(r string) bool { return strings.Contains(Partition(r), "-iso") })
}

// Known tells whether a name is in the table, the local region's name included.
func Known(region string) bool { return region == Local || slices.Contains(known, region) }

// UnknownError says that a well-formed name is not in the table.
type UnknownError struct {
	Region  string
	Nearest []string // at most three names that are spelled alike
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("region %s is not known; nearest: %s", e.Region, strings.Join(e.Nearest, ", "))
}

// Resolve is for people's input: malformed names are ErrRegion, names not in the table an [UnknownError].
func Resolve(region string) error {
	if err := Check(region); err != nil {
		return err
	}
	if Known(region) {
		return nil
	}
	return &UnknownError{Region: region, Nearest: nearest(region, 3)}
}

// nearest are the n names with the smallest edit distance.
func nearest(region string, n int) []string {
	list := append(All(), Local)
	slices.SortStableFunc(list, func(a, b string) int { return distance(region, a) - distance(region, b) })
	return list[:n]
}

// distance is the Levenshtein distance of two short ASCII texts.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
