package regions_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

func TestAMirrorSaysWhichRegionsItCarries(t *testing.T) {
	text := regions.Carried{Regions: []string{"us-east-1", "eu-west-1", "us-east-1"}}.Encode()
	got, err := regions.ParseCarried(text)
	if err != nil || !slices.Equal(got.Regions, []string{"eu-west-1", "us-east-1"}) {
		t.Errorf("%s is read as %v, %v", text, got, err)
	}
	if _, err := regions.ParseCarried([]byte(`{"regions":["../../etc"]}`)); !errors.Is(err, regions.ErrRegion) {
		t.Errorf("a path as a region: %v", err)
	}
	if _, err := regions.ParseCarried([]byte(`<html>`)); err == nil {
		t.Error("a page is taken for the list")
	}
	dir := t.TempDir()
	for _, name := range []string{"amazon-ssm-eu-west-1", "amazon-ssm-local", "other", "amazon-ssm-"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := regions.CarriedBy(dir); err != nil || !slices.Equal(got.Regions, []string{"eu-west-1", "local"}) {
		t.Errorf("the folder carries %v, %v", got, err)
	}
}
