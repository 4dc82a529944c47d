package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
)

const (
	tokenOp  = "RequestManagedInstanceRoleToken"
	updateOp = "UpdateManagedInstancePublicKey"
)

// run lets the keeper work until it has paused n times.
func (m *machine) run(id *identity.Identity, n int) {
	m.t.Helper()
	ctx, stop := context.WithCancel(m.t.Context())
	defer stop()
	m.clock.mu.Lock()
	m.clock.pauses, m.clock.limit, m.clock.stop = nil, n, stop
	m.clock.mu.Unlock()
	if err := id.Run(ctx); !errors.Is(err, context.Canceled) {
		m.t.Error(err)
	}
	m.clock.limit = 0
}

// waited is the sum of the pauses of the last run.
func (m *machine) waited() (sum time.Duration) {
	for _, p := range m.clock.pauses {
		sum += p
	}
	return sum
}

// docs/protocol/identity.md, "Shared credentials file" and "Runtime config identity_config.json".
func TestTokenIsSharedAndRefreshedAtHalfItsLife(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	began := m.clock.now()
	m.run(m.load(), 30) // thirty minutes, minute by minute
	if m.region.Count(tokenOp) != 1 || m.waited() != 30*time.Minute {
		t.Error(m.region.Count(tokenOp), m.waited())
	}
	c := readJSON(t, filepath.Join(m.layout.RuntimeConfig(), "identity_config.json"))
	for name, want := range map[string]string{
		"SchemaVersion": "1.1", "InstanceId": id, "IdentityType": "OnPrem", "ShareFile": m.layout.Credentials(), "ShareProfile": "",
		"CredentialsRetrievedAt": began.UTC().Format(time.RFC3339), "CredentialSource": "SSM",
		"CredentialsExpiresAt": began.Add(time.Hour).UTC().Format(time.RFC3339),
	} {
		if c[name] != want {
			t.Errorf("%s: %v, want %s", name, c[name], want)
		}
	}
	m.region.TokenLife(time.Minute)
	m.run(m.load(), 2)
	if m.region.Count(tokenOp) < 2 || m.waited() > 61*time.Second {
		t.Error(m.region.Count(tokenOp), m.clock.pauses)
	}
}

func TestARestartUsesTheCredentialsThatAreStillGood(t *testing.T) {
	m := newMachine(t)
	m.register()
	first, err := m.load().Credentials().Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.load().Credentials().Retrieve(t.Context())
	if err != nil || again.AccessKeyID != first.AccessKeyID || !again.Expires.Equal(first.Expires) || m.region.Count(tokenOp) != 1 {
		t.Error(err, m.region.Count(tokenOp))
	}
	if err := os.Remove(m.layout.Credentials()); err != nil {
		t.Fatal(err)
	}
	if err := m.token(m.load()); err != nil || m.region.Count(tokenOp) != 2 {
		t.Error(err, m.region.Count(tokenOp))
	}
	m.clock.pause(t.Context(), 2*time.Hour)
	if err := m.token(m.load()); err != nil || m.region.Count(tokenOp) != 3 {
		t.Error(err, m.region.Count(tokenOp))
	}
}

func TestAnotherRegistrationForgetsCachedCredentials(t *testing.T) {
	m := newMachine(t)
	m.register()
	if err := m.token(m.load()); err != nil {
		t.Fatal(err)
	}
	id := m.register()
	loaded := m.load()
	c := readJSON(t, filepath.Join(m.layout.RuntimeConfig(), "identity_config.json"))
	if c["InstanceId"] != id || c["CredentialSource"] != "" || c["CredentialsExpiresAt"] != "0001-01-01T00:00:00Z" {
		t.Error(c)
	}
	if err := m.token(loaded); err != nil || m.region.Count(tokenOp) != 2 {
		t.Error(err, m.region.Count(tokenOp))
	}
}

func TestManyCallersMakeOneRequest(t *testing.T) {
	m := newMachine(t)
	m.register()
	id := m.load()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := m.token(id); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := m.region.Count(tokenOp); n != 1 {
		t.Error(n)
	}
}

func TestOtherProcessesReadWhatTheKeeperShared(t *testing.T) {
	m := newMachine(t)
	m.register()
	o := m.options()
	o.Keeper = false
	reader, err := identity.Load(m.layout, m.config, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.token(reader); err != nil || exists(m.layout.Credentials()) {
		t.Error("a reader must get credentials of its own and share none", err)
	}
	m.clock.pause(t.Context(), 2*time.Hour)
	if err := m.token(m.load()); err != nil {
		t.Fatal(err)
	}
	if err := m.token(reader); err != nil || m.region.Count(tokenOp) != 2 {
		t.Error(err, m.region.Count(tokenOp))
	}
	env := reader.Environment()
	if len(env) != 1 || env[0] != "AWS_SHARED_CREDENTIALS_FILE="+m.layout.Credentials() {
		t.Error(env)
	}
}

func TestCredentialsStayInMemoryWhereSharingIsOff(t *testing.T) {
	m := newMachine(t)
	m.config.Profile.ShareCreds = false
	m.register()
	id := m.load()
	m.run(id, 30)
	if m.region.Count(tokenOp) != 1 || exists(m.layout.Credentials()) || id.Environment() != nil {
		t.Error("something was shared")
	}
}

func TestFailuresArePaced(t *testing.T) {
	rows := []struct {
		code      string
		low, high time.Duration
	}{
		{"MachineFingerprintDoesNotMatch", 25 * time.Minute, 30 * time.Minute},
		{"AccessDeniedException", 25 * time.Minute, 30 * time.Minute},
		{"InvalidInstanceId", 11 * time.Second, 21 * time.Second},
	}
	m := newMachine(t)
	m.register()
	for _, r := range rows {
		m.region.Break(tokenOp, -1, 400, r.code)
		before := m.region.Count(tokenOp)
		id := m.load()
		m.run(id, 1)
		if p := m.clock.pauses[0]; p != min(r.low, time.Minute) && (p < r.low || p > r.high) {
			t.Errorf("%s: %v", r.code, p)
		}
		// Who asks meanwhile gets the same answer, and the service is left alone.
		if err := m.token(id); r.low > time.Minute && (cloud.Code(err) != r.code || m.region.Count(tokenOp) != before+1) {
			t.Errorf("%s: %v, %d requests", r.code, err, m.region.Count(tokenOp)-before)
		}
		m.region.Mend()
	}
	m.region.Break(tokenOp, 1, 400, "MachineFingerprintDoesNotMatch")
	before := m.region.Count(tokenOp)
	m.run(m.load(), 32)
	if m.region.Count(tokenOp) < before+2 || m.waited() < 25*time.Minute {
		t.Error("not asked again", m.waited())
	}
}

func TestAnErrorOfTheServiceIsTriedAgainWithinOneRefresh(t *testing.T) {
	m := newMachine(t)
	m.register()
	m.region.Break(tokenOp, 3, 500, "")
	if err := m.token(m.load()); err != nil || m.region.Count(tokenOp) != 4 || len(m.clock.pauses) != 3 {
		t.Error(err, m.region.Count(tokenOp), m.clock.pauses)
	}
}

func TestAnOrderedRotationReplacesTheKey(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	old := m.vault("RegistrationKey")
	m.edit("RegistrationKey", "laterField", "kept")
	if err := m.region.RotateKey(id); err != nil {
		t.Fatal(err)
	}
	m.clock.pause(t.Context(), time.Hour)
	loaded := m.load()
	if err := m.token(loaded); err != nil {
		t.Fatal(err)
	}
	fresh := m.vault("RegistrationKey")
	if m.region.Count(updateOp) != 1 || fresh["privateKey"] == old["privateKey"] ||
		fresh["privateKeyCreatedDate"] == old["privateKeyCreatedDate"] || fresh["instanceID"] != id || fresh["laterField"] != "kept" {
		t.Error(fresh)
	}
	if exists(m.file("Vault", "Store", "PendingKey")) {
		t.Error("the pending key was left behind")
	}
	m.clock.pause(t.Context(), 2*time.Hour)
	if err := m.token(m.load()); err != nil || m.region.Count(updateOp) != 1 {
		t.Error("the new key does not work", err)
	}
}

// The original stores the new key here.
func TestRefusedRotationKeepsTheOldKey(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	old := m.vault("RegistrationKey")
	_ = m.region.RotateKey(id)
	m.region.Break(updateOp, -1, 400, "InvalidPublicKey")
	if err := m.token(m.load()); err != nil {
		t.Fatal(err)
	}
	if m.vault("RegistrationKey")["privateKey"] != old["privateKey"] || exists(m.file("Vault", "Store", "PendingKey")) {
		t.Error("the key changed")
	}
}

// Applied, but the answer was lost. The next token shows which key the region has.
func TestARotationWhoseAnswerWasLostIsFinishedByTheNextToken(t *testing.T) {
	t.Run("and on", func(t *testing.T) { lostAnswer(t, false) })
	t.Run("and dead", func(t *testing.T) { lostAnswer(t, true) })
}

func lostAnswer(t *testing.T, crash bool) {
	m := newMachine(t)
	m.register()
	old := m.vault("RegistrationKey")
	m.edit("RegistrationKey", "privateKeyCreatedDate", "2020-01-01 00:00:00 +0000 UTC")
	m.config.Profile.KeyAutoRotateDays = 1
	m.lose(updateOp, crash)
	_ = m.token(m.load())
	if crash {
		m.mend()
		if m.vault("RegistrationKey")["privateKey"] != old["privateKey"] || !exists(m.file("Vault", "Store", "PendingKey")) {
			t.Fatal("the test does not stop where it must")
		}
		m.clock.pause(t.Context(), 2*time.Hour)
	}
	if err := m.token(m.load()); err != nil {
		t.Errorf("locked out: %v", err)
	}
	if m.vault("RegistrationKey")["privateKey"] == old["privateKey"] || exists(m.file("Vault", "Store", "PendingKey")) {
		t.Error("the new key was not kept")
	}
}

func TestAKeyIsRotatedByItsAge(t *testing.T) {
	rows := []struct {
		days    int
		created string
		rotates bool
	}{
		{1, "2 days ago", true}, {0, "2 days ago", false}, {3, "2 days ago", false}, {1, "", true}, {1, "yesterday", false},
		{1, "2 days ago in Nepal", true}, {3, "2 days ago in Nepal", false},
	}
	for _, r := range rows {
		t.Run(fmt.Sprintf("%d days, %s", r.days, r.created), func(t *testing.T) {
			m := newMachine(t)
			m.register()
			created, now := r.created, m.clock.now()
			if strings.HasSuffix(created, "Nepal") { // a zone without a name
				now = now.In(time.FixedZone("+0545", 345*60))
			}
			if strings.HasPrefix(created, "2 days ago") {
				created = now.Add(-49 * time.Hour).Format("2006-01-02 15:04:05.999999999 -0700 MST")
			}
			m.edit("RegistrationKey", "privateKeyCreatedDate", created)
			m.config.Profile.KeyAutoRotateDays = r.days
			if err := m.token(m.load()); err != nil {
				t.Fatal(err)
			}
			if rotated := m.region.Count(updateOp) == 1; rotated != r.rotates {
				t.Errorf("rotated: %v", rotated)
			}
		})
	}
}

func TestRegistrationMadeMeanwhileIsNotOverwritten(t *testing.T) {
	m := newMachine(t)
	first := m.register()
	running := m.load()
	second := m.register()
	_ = m.region.RotateKey(first)
	_ = m.token(running)
	if m.vault("RegistrationKey")["instanceID"] != second {
		t.Error("the running agent wrote over a newer registration")
	}
	m.clock.pause(t.Context(), 2*time.Hour)
	if err := m.token(m.load()); err != nil {
		t.Error(err)
	}
}

// A tree that was moved whole: the manifest names files that are no longer there.
func TestATreeThatWasMovedWholeIsFound(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	moved := installer.At(t.TempDir() + "/new")
	if err := os.Rename(m.layout.Root, moved.Root); err != nil {
		t.Fatal(err)
	}
	m.layout = moved
	if loaded := m.load(); loaded.InstanceID != id || m.token(loaded) != nil {
		t.Error(loaded)
	}
}

func TestExpiredOrUnknownCredentialsAreReplaced(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	loaded := m.load()
	client, err := loaded.Client(cloud.SSM())
	if err != nil {
		t.Fatal(err)
	}
	ping := map[string]string{"AgentName": "amazon-ssm-agent", "AgentVersion": "9.1.0.0", "InstanceId": id, "PlatformType": "Linux"}
	if err := client.Call(t.Context(), "UpdateInstanceInformation", ping, nil); err != nil {
		t.Fatal(err)
	}
	m.clock.pause(t.Context(), 20*time.Second)
	m.region.Break("UpdateInstanceInformation", 1, 400, "ExpiredTokenException")
	if err := client.Call(t.Context(), "UpdateInstanceInformation", ping, nil); err != nil || m.region.Count(tokenOp) != 2 {
		t.Error(err, m.region.Count(tokenOp))
	}
	if _, err := loaded.Client(cloud.Service{}); err == nil {
		t.Error("a client for nothing")
	}
}

func TestAWrongClockIsCorrectedByTheService(t *testing.T) {
	m := newMachine(t)
	id := m.register()
	m.region.Skew(3 * time.Hour)
	loaded := m.load()
	if err := m.token(loaded); err != nil {
		t.Error(err)
	}
	client, err := loaded.Client(cloud.SSM())
	if err != nil {
		t.Fatal(err)
	}
	ping := map[string]string{"AgentName": "amazon-ssm-agent", "AgentVersion": "9.1.0.0", "InstanceId": id, "PlatformType": "Linux"}
	if err := client.Call(t.Context(), "UpdateInstanceInformation", ping, nil); err != nil {
		t.Error(err)
	}
}

// Agent.Region is the region of signatures, not of registration and tokens.
func TestAgentRegionIsTheRegionOfSignaturesOnly(t *testing.T) {
	m := newMachine(t)
	m.config.Agent.Region = "eu-west-9"
	m.register()
	client, err := m.load().Client(cloud.SSM())
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Call(t.Context(), "UpdateInstanceInformation", nil, nil)
	scope := func(operation string) string {
		a := m.region.Calls(operation)[0].Header.Get("Authorization")
		return strings.Split(a, "/")[2]
	}
	if scope(tokenOp) != "local" || scope("UpdateInstanceInformation") != "eu-west-9" {
		t.Error(scope(tokenOp), scope("UpdateInstanceInformation"))
	}
}

func TestTheRuntimeConfigurationHasTheOriginalsOrder(t *testing.T) {
	m := newMachine(t)
	m.register()
	if err := m.token(m.load()); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(m.layout.RuntimeConfig(), "identity_config.json"))
	order := []string{"SchemaVersion", "InstanceId", "IdentityType", "ShareFile", "ShareProfile", "CredentialsExpiresAt",
		"CredentialsRetrievedAt", "CredentialSource"}
	at := -1
	for _, name := range order {
		i := strings.Index(string(text), `"`+name+`"`)
		if i < at {
			t.Errorf("%s is out of order in %s", name, text)
		}
		at = i
	}
	if !json.Valid(text) {
		t.Error("no JSON")
	}
}
