package publish_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

func TestAPublicationNotesItsTimeOnce(t *testing.T) {
	to, v := target.Folder(t.TempDir()), manifests.MustVersion("9.1.0.0")
	first := time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC)
	ten := 10
	for i := range 2 {
		o := publish.Options{Now: func() time.Time { return first.Add(time.Duration(i) * time.Hour) }}
		if i == 0 {
			o.Percent = &ten
		}
		publishTo(t, to, release(t, "9.1.0.0", "one"), o)
		x, err := manifests.ParseIndex([]byte(read(t, to, regions.IndexKey)))
		if err != nil {
			t.Fatal(err)
		}
		if r := x.Rollout(v); !r.Published.Equal(first) || r.Share() != 10 {
			t.Errorf("publication %d: %+v", i+1, r)
		}
	}
}

func TestAnIndexThatIsDamagedIsNotWrittenOver(t *testing.T) {
	to := target.Folder(t.TempDir())
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{})
	none := func(*manifests.Index) error { return nil }
	_, err := publish.ChangeIndex(context.Background(), to, publish.Options{}, none, manifests.MustVersion("9.7"))
	if !errors.Is(err, publish.ErrNotServed) {
		t.Errorf("a version that the region does not list: %v", err)
	}
	html := []byte("<html>")
	if err := to.Write(context.Background(), regions.IndexKey, bytes.NewReader(html), host.SHA256Bytes(html), target.When{}); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.ChangeIndex(context.Background(), to, publish.Options{}, none); !errors.Is(err, manifests.ErrIndex) {
		t.Error(err)
	}
	if text := read(t, to, regions.IndexKey); text != "<html>" {
		t.Errorf("written over: %s", text)
	}
}
