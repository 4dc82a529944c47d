package local_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func TestPublicKeyIsChecked(t *testing.T) {
	r := local.Start(t)
	id, code, err := r.CreateActivation(9)
	must(t, err)
	public, _, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	other, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	n := &agentNode{t: t, region: r}
	for name, key := range map[string]string{"no base64": "?", "no key": "AAAA", "not RSA": base64.StdEncoding.EncodeToString(other)} {
		err := n.send(wire.TargetSSM+".RegisterManagedInstance", wire.RegisterManagedInstanceInput{ActivationId: id, ActivationCode: code,
			PublicKey: key, PublicKeyType: "Rsa"}, nil, nil)
		t.Run(name, func(t *testing.T) { wantCode(t, err, "InvalidPublicKey") })
	}
	err = n.send(wire.TargetSSM+".RegisterManagedInstance", wire.RegisterManagedInstanceInput{ActivationId: id, ActivationCode: code,
		PublicKey: publicText(nodeKeys()[0]), PublicKeyType: "Dsa"}, nil, nil)
	wantCode(t, err, "InvalidPublicKey")
}

func TestARoleTokenNeedsKeyAndFingerprint(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	if n.token.UpdateKeyPair || time.Until(n.token.TokenExpirationDate.Time) < 59*time.Minute {
		t.Errorf("%+v", n.token)
	}
	right := n.fingerprint
	n.fingerprint = uuid.NewString()
	wantCode(t, n.refresh(), "MachineFingerprintDoesNotMatch")
	n.fingerprint, n.key = right, nodeKeys()[1]
	wantCode(t, n.refresh(), "InvalidSignatureException")
	n.key = nodeKeys()[0]
	must(t, r.Deregister(n.id))
	wantCode(t, n.refresh(), "InvalidInstanceId")
	wantCode(t, n.ping("Active", "9.1.0.0"), "InvalidInstanceId")
	if len(r.Instances()) != 0 {
		t.Error("still listed")
	}
}

func TestANodeIsAskedForANewKey(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	must(t, r.RotateKey(n.id))
	must(t, n.refresh())
	if !n.token.UpdateKeyPair {
		t.Error("the node isn't asked for a new key pair")
	}
	in := wire.UpdateManagedInstancePublicKeyInput{NewPublicKey: publicText(n.key), NewPublicKeyType: "Rsa"}
	wantCode(t, n.signed("UpdateManagedInstancePublicKey", in, nil), "PublicKeyAlreadyRegistered")
	in.NewPublicKey = publicText(nodeKeys()[1])
	must(t, n.signed("UpdateManagedInstancePublicKey", in, nil))
	wantCode(t, n.refresh(), "InvalidSignatureException")
	n.key = nodeKeys()[1]
	must(t, n.refresh())
	if n.token.UpdateKeyPair {
		t.Error("asked again after the rotation")
	}
}

func TestPingsAreKeptAndShown(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	must(t, n.ping("UpdateInitialized-9.2.0.0", "9.1.0.0"))
	must(t, n.ping("Active", "9.2.0.0"))
	must(t, n.ping("UpdateSucceeded-9.2.0.0", "9.1.0.0"))
	var said []string
	for _, p := range r.Pings(n.id) {
		said = append(said, p.AgentStatus+" "+p.AgentVersion)
	}
	if len(said) != 4 || said[3] != "UpdateSucceeded-9.2.0.0 9.1.0.0" {
		t.Errorf("%q", said)
	}
	// What an updater says of the version it came from doesn't count as the agent's.
	if v := r.Instances()[0].AgentVersion; v != "9.2.0.0" {
		t.Errorf("agent version %s", v)
	}
	err := n.ssm("UpdateInstanceInformation", wire.UpdateInstanceInformationInput{InstanceId: "mi-00000000000000000"}, nil)
	wantCode(t, err, "AccessDeniedException")
	// The empty ping of start-up takes nothing away.
	must(t, n.ssm("UpdateInstanceInformation", wire.UpdateInstanceInformationInput{AgentName: "amazon-ssm-agent", AgentVersion: "9.2.0.0",
		InstanceId: n.id, PlatformType: "Linux"}, nil))
	if a := r.Instances()[0].Agent; a.ComputerName != "host.example" || a.PlatformVersion != "12" {
		t.Errorf("%+v", a)
	}
}

func TestInstancesAreDescribedByFilters(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	must(t, r.Put("latest/VERSION", []byte("9.1.0.0\n")))
	a, b := newNode(t, r), newNode(t, r)
	r.Advance(7 * time.Minute)
	must(t, b.ping("Active", "9.0.0.0"))
	tag := []types.Tag{{Key: aws.String("stage"), Value: aws.String("test")}}
	_, err := client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceType: types.ResourceTypeForTaggingManagedInstance,
		ResourceId: &a.id, Tags: tag})
	must(t, err)
	find := func(key string, values ...string) []types.InstanceInformation {
		t.Helper()
		out, err := client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
			Filters: []types.InstanceInformationStringFilter{{Key: aws.String(key), Values: values}}})
		must(t, err)
		return out.InstanceInformationList
	}
	for _, f := range [][2]string{{"PingStatus", "ConnectionLost"}, {"InstanceIds", a.id}, {"tag:stage", "test"}, {"tag-key", "stage"},
		{"AgentVersion", "9.1.0.0"}} {
		if got := find(f[0], f[1]); len(got) != 1 || *got[0].InstanceId != a.id || got[0].PingStatus != types.PingStatusConnectionLost {
			t.Errorf("%v: %d found", f, len(got))
		}
	}
	online := find("PingStatus", "Online")
	if len(online) != 1 || *online[0].InstanceId != b.id || *online[0].IsLatestVersion || online[0].PlatformType != types.PlatformTypeLinux ||
		online[0].ResourceType != types.ResourceTypeManagedInstance || *online[0].ComputerName != "host.example" {
		t.Errorf("%+v", online)
	}
	old, err := client.DescribeInstanceInformation(ctx,
		&ssm.DescribeInstanceInformationInput{InstanceInformationFilterList: []types.InstanceInformationFilter{
			{Key: types.InstanceInformationFilterKeyPlatformTypes, ValueSet: []string{"Linux"}}}})
	must(t, err)
	if len(old.InstanceInformationList) != 2 {
		t.Errorf("%d by the old kind of filter", len(old.InstanceInformationList))
	}
	_, err = client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{{Key: aws.String("Mood"), Values: []string{"good"}}}})
	wantCode(t, err, "InvalidFilterKey")
	_, err = client.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{MaxResults: aws.Int32(4)})
	wantCode(t, err, "ValidationException")
}

func TestInstancesComeInPages(t *testing.T) {
	r := local.Start(t)
	id, code, err := r.CreateActivation(12)
	must(t, err)
	n := &agentNode{t: t, region: r, key: nodeKeys()[0], fingerprint: uuid.NewString()}
	for range 12 {
		must(t, n.register(id, code))
	}
	seen := map[string]bool{}
	for pages := ssm.NewDescribeInstanceInformationPaginator(people(r),
		&ssm.DescribeInstanceInformationInput{MaxResults: aws.Int32(5)}); pages.HasMorePages(); {
		page, err := pages.NextPage(context.Background())
		must(t, err)
		for _, i := range page.InstanceInformationList {
			seen[*i.InstanceId] = true
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d nodes over all pages", len(seen))
	}
}

// Public operations answer to the administrator alone, private ones to the node they are for.
func TestOperationsAnswerToTheirCallersOnly(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	for _, operation := range []string{"CreateActivation", "SendCommand", "DescribeInstanceInformation", "CreateDocument", "ListCommands",
		"AddTagsToResource"} {
		wantCode(t, n.ssm(operation, struct{}{}, nil), "AccessDeniedException")
		wantCode(t, n.send(wire.TargetSSM+"."+operation, struct{}{}, nil, nil), "MissingAuthenticationTokenException")
		wantCode(t, n.signed(operation, struct{}{}, nil), "AccessDeniedException")
	}
	wantCode(t, n.ssm("RequestManagedInstanceRoleToken", struct{}{}, nil), "AccessDeniedException")
	wantCode(t, n.send(wire.TargetEC2Messages+".GetMessages", struct{}{}, nil, nil), "MissingAuthenticationTokenException")
	var doc struct{ Content string }
	must(t, n.ssm("GetDocument", map[string]string{"Name": "AWS-RunShellScript"}, &doc))
	if doc.Content == "" {
		t.Error("no content for a node")
	}
}

func TestTagsAreAddedAndRemoved(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	n := newNode(t, r)
	kind := types.ResourceTypeForTaggingManagedInstance
	add := func(k, v string) {
		t.Helper()
		_, err := client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceType: kind, ResourceId: &n.id,
			Tags: []types.Tag{{Key: &k, Value: &v}}})
		must(t, err)
	}
	add("a", "1")
	add("b", "2")
	add("a", "3")
	_, err := client.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{ResourceType: kind, ResourceId: &n.id,
		TagKeys: []string{"b"}})
	must(t, err)
	out, err := client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: &n.id})
	must(t, err)
	if len(out.TagList) != 1 || *out.TagList[0].Value != "3" {
		t.Errorf("%+v", out.TagList)
	}
	_, err = client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: kind, ResourceId: aws.String("mi-00000000000000000")})
	wantCode(t, err, "InvalidResourceId")
	_, err = client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingOpsItem,
		ResourceId: aws.String("x")})
	wantCode(t, err, "InvalidResourceType")
	var many []types.Tag
	for i := range 51 {
		many = append(many, types.Tag{Key: aws.String(string(rune('A' + i))), Value: aws.String("")})
	}
	_, err = client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceType: kind, ResourceId: &n.id, Tags: many})
	wantCode(t, err, "TooManyTagsError")
}
