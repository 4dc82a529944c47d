package signed

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Faults of a folder of keys.
var (
	ErrFolder = fault.New(fault.Usage, "this is no folder of keys", "--keys names the folder that ssm-setup keys init made")
	ErrExists = fault.New(fault.Refused, "there are keys already",
		"ssm-setup keys show lists them; keys add, remove and rotate change them")
)

// Names in a folder.
const (
	bookFile  = "keys.json"
	rootFile  = "root.json"
	nextFile  = "next.root.json"
	rootsDir  = "roots"
	OfflineAt = "offline"
	OnlineAt  = "online"
)

// Beginnings of places of secrets other than a file.
const (
	fromVariable = "env:"
	fromCommand  = "command:"
)

// Folder is a publisher's folder of keys.
type Folder struct {
	Dir string
	// Getenv reads a variable and forgets it, so that no child inherits a secret; nil: os.Getenv.
	Getenv func(name string) string
	Dry    bool // nothing is written

	read       map[string]string // variables
	book       book
	passphrase *string
}

type book struct {
	Schema int     `json:"schema"`
	Days   Days    `json:"days"`
	Keys   []Entry `json:"keys"`
}

// Entry is a key that a folder knows.
type Entry struct {
	ID     string `json:"id"`
	Place  string `json:"place"`  // file (relative to the folder), env:NAME, command:CMD; empty: another machine has it
	Public string `json:"public"` // PEM
}

// Init begins a folder of keys; Save and what makes keys write it.
func (f *Folder) Init(days Days) error {
	if _, err := os.Stat(f.at(bookFile)); err == nil {
		return fmt.Errorf("%w in %s", ErrExists, f.Dir)
	}
	f.book = book{Schema: 1, Days: days}
	return nil
}

// Open reads a folder.
func (f *Folder) Open() error {
	b, err := os.ReadFile(f.at(bookFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrFolder, f.Dir)
	}
	if err == nil {
		err = json.Unmarshal(b, &f.book)
	}
	if err == nil && f.book.Schema != 1 {
		err = fmt.Errorf("schema %d is not known", f.book.Schema)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, f.at(bookFile), err)
	}
	return nil
}

// Save writes keys.json.
func (f *Folder) Save() error {
	b, err := json.MarshalIndent(f.book, "", "  ")
	if err != nil {
		return err
	}
	return f.write(bookFile, append(b, '\n'), 0o644)
}

func (f *Folder) write(name string, b []byte, mode fs.FileMode) error {
	if f.Dry {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.at(name)), 0o700); err != nil {
		return err
	}
	return host.WriteFile(f.at(name), b, mode)
}

func (f *Folder) at(name string) string { return filepath.Join(f.Dir, filepath.FromSlash(name)) }

// Days are how long roles count.
func (f *Folder) Days() Days { return f.book.Days }

// SetDays changes how long a role counts from its next signing.
func (f *Folder) SetDays(role string, days int) {
	if f.book.Days == nil {
		f.book.Days = Days{}
	}
	f.book.Days[role] = days
}

// Entry finds a key by its id or the beginning of one.
func (f *Folder) Entry(id string) (Entry, bool) {
	for _, e := range f.book.Keys {
		if id != "" && strings.HasPrefix(e.ID, id) {
			return e, true
		}
	}
	return Entry{}, false
}

// NextPath is where a root on its way lies.
func (f *Folder) NextPath() string { return f.at(nextFile) }

// RootPath is the newest root that hosts are given.
func (f *Folder) RootPath() string { return f.at(rootFile) }

// Make generates a key, and writes its secret below offline/ or online/.
func (f *Folder) Make(kind, sub, name string) (crypto.PublicKey, error) {
	private, err := Generate(kind)
	if err != nil {
		return nil, err
	}
	id, err := IDOf(private.Public())
	if err != nil {
		return nil, err
	}
	b, err := sign.WriteKey(private, f.secret())
	if err != nil {
		return nil, err
	}
	place := sub + "/" + name + "-" + Short(id) + ".key"
	if err := f.write(place, b, 0o600); err != nil {
		return nil, err
	}
	return private.Public(), f.know(private.Public(), place)
}

// Locked tells whether secrets that are made now get a passphrase.
func (f *Folder) Locked() bool { return f.secret() != "" }

func (f *Folder) secret() string {
	if f.passphrase == nil {
		text := f.getenv(Passphrase)
		f.passphrase = &text
	}
	return *f.passphrase
}

func (f *Folder) getenv(name string) string {
	if f.read == nil {
		f.read = map[string]string{}
	}
	if text, known := f.read[name]; known {
		return text
	}
	get := f.Getenv
	if get == nil {
		get = os.Getenv
	}
	f.read[name] = get(name)
	return f.read[name]
}

// Know takes a key whose secret is at a place. One without a secret there (a public key in PEM) is another machine's.
func (f *Folder) Know(ctx context.Context, place string) (crypto.PublicKey, error) {
	if !strings.HasPrefix(place, fromVariable) && !strings.HasPrefix(place, fromCommand) {
		b, err := os.ReadFile(place)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		if public, err := ReadPublic(b); err == nil {
			return public, f.know(public, "")
		}
		if place, err = filepath.Abs(place); err != nil {
			return nil, err
		}
	}
	s, err := f.open(ctx, Entry{Place: place})
	if err != nil {
		return nil, err
	}
	return s.Public(), f.know(s.Public(), place)
}

func (f *Folder) know(public crypto.PublicKey, place string) error {
	id, err := IDOf(public)
	if err != nil {
		return err
	}
	text, err := PublicPEM(public)
	if err != nil {
		return err
	}
	f.book.Keys = slices.DeleteFunc(f.book.Keys, func(e Entry) bool { return e.ID == id })
	f.book.Keys = append(f.book.Keys, Entry{id, place, text})
	return nil
}

// open opens a key's secret.
func (f *Folder) open(ctx context.Context, e Entry) (Signer, error) {
	if text, ok := strings.CutPrefix(e.Place, fromCommand); ok {
		c := Command(strings.Fields(text))
		if e.Public == "" {
			public, err := c.PublicKey(ctx)
			if err != nil {
				return nil, err
			}
			return c.By(public), nil
		}
		public, err := ReadPublic([]byte(e.Public))
		if err != nil {
			return nil, err
		}
		return c.By(public), nil
	}
	b, err := f.bytes(e.Place)
	if err != nil {
		return nil, err
	}
	private, err := sign.ReadKey(b, f.secret())
	switch {
	case errors.Is(err, sign.ErrPassphrase):
		return nil, fmt.Errorf("%w: %s", ErrPassphrase, e.Place)
	case err != nil:
		return nil, fmt.Errorf("%w: %s is no private key", ErrKey, e.Place)
	}
	return InMemory(private)
}

func (f *Folder) bytes(place string) ([]byte, error) {
	name, ok := strings.CutPrefix(place, fromVariable)
	if !ok {
		at := place
		if !filepath.IsAbs(at) {
			at = f.at(place)
		}
		if err := private(at); err != nil {
			return nil, err
		}
		return os.ReadFile(at)
	}
	text := f.getenv(name)
	if text == "" {
		return nil, fmt.Errorf("%w: the variable %s is empty: %w", ErrKey, name, fs.ErrNotExist)
	}
	if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		return b, nil
	}
	return []byte(text), nil
}

// Ring opens the keys whose secret is here. One that is elsewhere (its file carried away, its variable not set) is left out; one that
// cannot be opened is told. Keys that sign none of the roles are left alone.
func (f *Folder) Ring(ctx context.Context, root *RootFile, roles ...string) (Ring, error) {
	ring := Ring{}
	for _, e := range f.book.Keys {
		wanted := slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(root.Role(role).Keys, e.ID) })
		if !wanted || e.Place == "" {
			continue
		}
		s, err := f.open(ctx, e)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if id, err := IDOf(s.Public()); err != nil || id != e.ID {
			return nil, fmt.Errorf("%w: %s is another key than %s", ErrKey, e.Place, Short(e.ID))
		}
		ring[e.ID] = s
	}
	return ring, nil
}

// Here tells whether a key's secret seems to be at hand, without opening it.
func (f *Folder) Here(id string) bool {
	e, ok := f.Entry(id)
	if !ok || e.Place == "" {
		return false
	}
	name, variable := strings.CutPrefix(e.Place, fromVariable)
	switch {
	case variable:
		_, set := os.LookupEnv(name)
		return set
	case strings.HasPrefix(e.Place, fromCommand):
		return true
	}
	at := e.Place
	if !filepath.IsAbs(at) {
		at = f.at(at)
	}
	_, err := os.Stat(at)
	return err == nil
}
