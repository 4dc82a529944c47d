package records_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

func open(t *testing.T) *records.Store {
	t.Helper()
	s, err := records.Open(filepath.Join(t.TempDir(), "region.db"), false)
	if err == nil {
		err = s.Prepare("things", records.Part("parts", "a"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAChangeThatFailsIsUndoneAndSignalsNothing(t *testing.T) {
	s := open(t)
	changed, no := s.Changed("key"), errors.New("no")
	err := s.Update(func(tx *records.Tx) error {
		tx.Signal("key")
		return errors.Join(records.Save(tx, "things", "x", 1), no)
	})
	if !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	select {
	case <-changed:
		t.Error("the undone change was signalled")
	default:
	}
	err = s.Update(func(tx *records.Tx) error {
		if records.Has(tx, "things", "x") {
			t.Error("the undone record is there")
		}
		tx.Signal("key")
		return records.Save(tx, "things", "x", 1)
	})
	if err != nil {
		t.Error(err)
	}
	<-changed
}

func TestASecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "region.db")
	s, err := records.Open(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := records.Open(path, false); !errors.Is(err, records.ErrLocked) {
		t.Errorf("error %v", err)
	}
}

func TestRecordsAreWalkedInTheOrderOfTheirKeys(t *testing.T) {
	s := open(t)
	err := s.Update(func(tx *records.Tx) error {
		var keys []string
		for i := range int64(300) {
			key := records.NewestFirst(i)
			keys = append(keys, key)
			if err := records.Save(tx, "things", "n/"+key, i); err != nil {
				return err
			}
		}
		if !slices.IsSortedFunc(keys, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Error("later does not sort first")
		}
		var seen []int64
		err := records.Each(tx, "things", "n/", func(_ string, n int64) bool { seen = append(seen, n); return len(seen) == 3 })
		if !slices.Equal(seen, []int64{299, 298, 297}) {
			t.Errorf("walked %v", seen)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	_ = s.View(func(tx *records.Tx) error {
		if n := records.Count(tx, "things"); n != 300 {
			t.Errorf("%d records, want 300", n)
		}
		return nil
	})
}

func TestATableMayHoldTables(t *testing.T) {
	s := open(t)
	err := s.Update(func(tx *records.Tx) error {
		a, none := records.Part("parts", "a"), records.Part("parts", "none")
		if !records.Exists(tx, a) || records.Exists(tx, none) || records.Exists(tx, records.Part("parts", "")) {
			t.Error("the wrong tables are there")
		}
		if err := records.Save(tx, a, "k", "v"); err != nil {
			return err
		}
		if v, ok, err := records.Fetch[string](tx, a, "k"); v != "v" || !ok || err != nil {
			t.Errorf("%q %v %v", v, ok, err)
		}
		if got := records.Parts(tx, "parts"); !slices.Equal(got, []string{"a"}) {
			t.Errorf("parts %q", got)
		}
		return records.Drop(tx, a)
	})
	if err != nil {
		t.Error(err)
	}
}
