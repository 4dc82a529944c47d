package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
)

// docs/protocol/identity.md, "On-disk format".
func TestARegistrationWritesWhatTheOriginalWrites(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	if len(m.region.Instances()) != 1 || m.region.Instances()[0].InstanceID != id {
		t.Fatal(m.region.Instances())
	}
	manifest := readJSON(t, m.file("Vault", "Manifest"))
	for _, key := range []string{"RegistrationKey", "InstanceFingerprint"} {
		if manifest[key] != m.file("Vault", "Store", key) {
			t.Errorf("%s: %v", key, manifest[key])
		}
	}
	if len(manifest) != 2 {
		t.Error(manifest)
	}
	if r := readJSON(t, m.layout.Registration()); r["ManagedInstanceID"] != id || r["Region"] != "local" || len(r) != 2 {
		t.Error(r)
	}
	r := m.vault("RegistrationKey")
	if len(r) != 8 || r["instanceID"] != id || r["region"] != "local" || r["privateKeyType"] != "Rsa" || r["publicKey"] != "" {
		t.Error(r)
	}
	if got, want := r["privateKeyCreatedDate"], m.clock.now().Format("2006-01-02 15:04:05.999999999 -0700 MST"); got != want {
		t.Errorf("the key is of %v, not %s", got, want)
	}
	call := m.region.Calls("RegisterManagedInstance")[0]
	if call.Header.Get("Authorization") != "" || call.Header.Get("X-Amz-Date") != "" {
		t.Error("the registration was signed", call.Header)
	}
	var sent struct{ PublicKey, PublicKeyType, Fingerprint string }
	if err := json.Unmarshal(call.Body, &sent); err != nil {
		t.Fatal(err)
	}
	if len(sent.PublicKey) != 392 || sent.PublicKeyType != "Rsa" || !samePair(t, sent.PublicKey, r["privateKey"].(string)) {
		t.Error(sent)
	}
	f := m.vault("InstanceFingerprint")
	if f["fingerprint"] != sent.Fingerprint || f["similarityThreshold"] != 40.0 || len(f["hardwareHash"].(map[string]any)) != 9 {
		t.Error(f)
	}
}

func samePair(t *testing.T, public, private string) bool {
	t.Helper()
	der, _ := base64.StdEncoding.DecodeString(public)
	p, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	der, _ = base64.StdEncoding.DecodeString(private)
	k, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return k.PublicKey.Equal(p.(*rsa.PublicKey)) && k.N.BitLen() == 2048
}

func TestAShortCodeIsRefusedBeforeAnythingIsSent(t *testing.T) {
	m := newMachine(t)
	_, err := m.tryRegister(func(a *identity.Activation) { a.Code = "ABCDEFGHIJKLMNOPQRS" })
	contains(t, err, "error registering the instance with AWS SSM. InvalidParameter: 1 validation error(s) found.\n"+
		"- minimum field size of 20, RegisterManagedInstanceInput.ActivationCode.")
	_, err = m.tryRegister(func(a *identity.Activation) { a.Code, a.ID = "x", "y" })
	contains(t, err, "2 validation error(s)")
	_, err = m.tryRegister(func(a *identity.Activation) { a.Region = "a b" })
	contains(t, err, "Unable to determine endpoint because region a b has invalid characters")
	if m.region.Count("RegisterManagedInstance") != 0 || exists(m.layout.Vault()) {
		t.Error("something was sent or written")
	}
}

// Unlike the original, a failure leaves the old registration as it was.
func TestAFailedRegistrationKeepsTheOldOne(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	before := m.vault("RegistrationKey")
	_, err := m.tryRegister(func(a *identity.Activation) { a.ID = "11111111-2222-3333-4444-555555555555" })
	contains(t, err, "error registering the instance with AWS SSM. InvalidActivation: ")
	if cloud.Code(err) != "InvalidActivation" {
		t.Error(err)
	}
	if after := m.vault("RegistrationKey"); after["privateKey"] != before["privateKey"] || after["instanceID"] != id {
		t.Error("the registration changed")
	}
	if exists(m.file("Vault", "Store", "Candidate")) {
		t.Error("the new key was left behind")
	}
	if err := m.token(m.load()); err != nil {
		t.Error(err)
	}
}

func TestTooManyUpdatesIsTriedAgain(t *testing.T) {
	m := newMachine(t)
	m.region.Break("RegisterManagedInstance", 2, 400, "TooManyUpdates")
	m.register()
	if n := m.region.Count("RegisterManagedInstance"); n != 3 {
		t.Error(n)
	}
	m.region.Break("RegisterManagedInstance", -1, 400, "TooManyUpdates")
	_, err := m.tryRegister()
	if cloud.Code(err) != "TooManyUpdates" || m.region.Count("RegisterManagedInstance") != 3+6 {
		t.Error(err, m.region.Count("RegisterManagedInstance"))
	}
}

func TestAVaultThatCannotBeWrittenStopsTheRegistration(t *testing.T) {
	m := newMachine(t)
	if err := os.MkdirAll(m.layout.Data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.layout.Vault(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := m.tryRegister()
	contains(t, err, "Unable to save registration information. ")
	contains(t, err, "\nTry running as sudo/administrator.")
	if !errors.Is(err, identity.ErrStore) || m.region.Count("RegisterManagedInstance") != 0 {
		t.Error("the activation was used up")
	}
}

func TestClearLeavesEmptyRecords(t *testing.T) {
	m := newMachine(t)
	m.register()
	if err := m.token(m.load()); err != nil {
		t.Fatal(err)
	}
	if err := identity.Clear(m.layout, m.clock.now()); err != nil {
		t.Fatal(err)
	}
	f, _ := os.ReadFile(m.file("Vault", "Store", "InstanceFingerprint"))
	if string(f) != `{"fingerprint":"","hardwareHash":null,"similarityThreshold":0}` {
		t.Errorf("%s", f)
	}
	for name, value := range m.vault("RegistrationKey") {
		if (value != "") != (name == "privateKeyCreatedDate") {
			t.Errorf("%s: %v", name, value)
		}
	}
	if _, err := identity.Load(m.layout, m.config, m.options()); !errors.Is(err, identity.ErrNotRegistered) {
		t.Error(err)
	}
	if id := m.register(); id == "" {
		t.Error("no new registration")
	}
}

func TestTheSimilarityThresholdIsCheckedAndStored(t *testing.T) {
	m := newMachine(t)
	contains(t, identity.SetThreshold(m.layout, 50), "Unable to set similarity threshold due to, save called with empty fingerprint key")
	m.register()
	for _, n := range []int{0, 101, -2} {
		contains(t, identity.SetThreshold(m.layout, n), "Value must be between 1 and 100 or -1 (check disabled)")
	}
	for _, n := range []int{1, 100, -1} {
		if err := identity.SetThreshold(m.layout, n); err != nil || m.vault("InstanceFingerprint")["similarityThreshold"] != float64(n) {
			t.Error(n, err)
		}
	}
}

func TestADisabledSimilarityCheckStaysDisabled(t *testing.T) {
	m := newMachine(t)
	m.register(func(a *identity.Activation) { a.DisableSimilarity = true })
	first := m.vault("InstanceFingerprint")
	m.register()
	second := m.vault("InstanceFingerprint")
	if first["similarityThreshold"] != -1.0 || second["similarityThreshold"] != -1.0 || first["fingerprint"] != second["fingerprint"] {
		t.Error(first, second)
	}
}

// What the original wrote, with another agent's key in the manifest.
func TestTheVaultOfAnotherAgentIsTakenOver(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	manifest := readJSON(t, m.file("Vault", "Manifest"))
	moved := m.file("elsewhere")
	if err := os.Rename(m.file("Vault", "Store", "RegistrationKey"), moved); err != nil {
		t.Fatal(err)
	}
	manifest["RegistrationKey"], manifest["EC2RegistrationKey"] = moved, "/x"
	text, _ := json.Marshal(manifest)
	if err := os.WriteFile(m.file("Vault", "Manifest"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := m.load()
	if loaded.InstanceID != id || loaded.Type != "OnPrem" || loaded.Region != "local" || loaded.ShortID() != id {
		t.Error(loaded)
	}
	if err := m.token(loaded); err != nil {
		t.Error(err)
	}
	m.register()
	if readJSON(t, m.file("Vault", "Manifest"))["EC2RegistrationKey"] != "/x" {
		t.Error("a foreign key was lost")
	}
}

func TestNotRegisteredAndUnreadableAreTwoErrors(t *testing.T) {
	m := newMachine(t)
	_, err := identity.Load(m.layout, m.config, m.options())
	if !errors.Is(err, identity.ErrNotRegistered) || errors.Is(err, identity.ErrUnreadable) || err.Error() != "failed to find agent identity" {
		t.Error(err)
	}
	m.register()
	if err := os.WriteFile(m.file("Vault", "Store", "RegistrationKey"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = identity.Load(m.layout, m.config, m.options())
	contains(t, err, "failed to read data file for RegistrationKey")
	if !errors.Is(err, identity.ErrUnreadable) || errors.Is(err, identity.ErrNotRegistered) {
		t.Error("a registration that cannot be read counts as none:", err)
	}
}

// As far as it goes without roles.
func TestACustomIdentityComesFromTheConfiguration(t *testing.T) {
	c, err := config.Parse([]byte(
		`{"Identity":{"CustomIdentities":[{"InstanceID":"x"},{"InstanceID":"c-1","Region":"local","CredentialsProvider":"Y"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.Load(installer.At(t.TempDir()), c, identity.Options{})
	if err != nil || id.InstanceID != "c-1" || id.Type != "CustomIdentity" {
		t.Fatal(id, err)
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	if _, err := id.Credentials().Retrieve(t.Context()); err == nil {
		t.Error("credentials from nowhere")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	if got, err := id.Credentials().Retrieve(t.Context()); err != nil || got.AccessKeyID != "a" {
		t.Error(got, err)
	}
}

// quoted is a path as JSON has it.
func quoted(parts ...string) string {
	b, _ := json.Marshal(filepath.Join(parts...))
	return string(b)
}

// What the original leaves on a disk, word for word but for the key (docs/protocol/identity.md, "On-disk format").
func TestTheVaultOfTheOriginalIsRead(t *testing.T) {
	l := installer.At(t.TempDir())
	store := filepath.Join(l.Vault(), "Store")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(l.Vault(), "Manifest"): `{"InstanceFingerprint":` + quoted(store, "InstanceFingerprint") + `,"RegistrationKey":` +
			quoted(store, "RegistrationKey") + `}`,
		filepath.Join(store, "RegistrationKey"): `{"instanceID":"mi-0a1b2c3d4e5f60718","region":"eu-west-1","instanceType":"","availabilityZone":"",` +
			`"privateKey":"` + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key)) + `","publicKey":"","privateKeyType":"Rsa",` +
			`"privateKeyCreatedDate":"2026-03-04 05:06:07.890123456 +0000 UTC"}`,
		filepath.Join(store, "InstanceFingerprint"): `{"fingerprint":"3f0c2d7e-0000-4000-8000-000000000000","hardwareHash":{"machine-id":"x\n"},"similarityThreshold":0}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 { // as the original leaves folders
		for _, dir := range []string{store, l.Vault()} {
			if err := os.Chmod(dir, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	id, err := identity.Load(l, config.Default(), identity.Options{})
	if err != nil || id.InstanceID != "mi-0a1b2c3d4e5f60718" || id.Region != "eu-west-1" {
		t.Fatal(id, err)
	}
	if err := identity.SetThreshold(l, 50); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(store, "InstanceFingerprint"))
	if string(text) != `{"fingerprint":"3f0c2d7e-0000-4000-8000-000000000000","hardwareHash":{"machine-id":"x\n"},"similarityThreshold":50}` {
		t.Errorf("%s", text)
	}
}
