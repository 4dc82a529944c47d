package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const greeting = `{"schemaVersion":"2.2","description":"says hello","parameters":{"name":{"type":"String","default":"world",` +
	`"allowedPattern":"^[a-z]+$","maxChars":9},
"mode":{"type":"String","default":"soft","allowedValues":["soft","loud"]}},"mainSteps":[{"action":"aws:runShellScript",` +
	`"name":"say","inputs":{"runCommand":["echo {{ name }}"]}}]}`

func create(client *ssm.Client, name, text string, format types.DocumentFormat) (*ssm.CreateDocumentOutput, error) {
	return client.CreateDocument(context.Background(), &ssm.CreateDocumentInput{Name: &name, Content: &text, DocumentFormat: format,
		DocumentType: types.DocumentTypeCommand})
}

func TestADocumentIsMadeShownAndDeleted(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	made, err := create(client, "Greeting", greeting, types.DocumentFormatJson)
	must(t, err)
	d := made.DocumentDescription
	sum := sha256.Sum256([]byte(greeting))
	if *d.Hash != hex.EncodeToString(sum[:]) || d.HashType != types.DocumentHashTypeSha256 || *d.SchemaVersion != "2.2" ||
		*d.Description != "says hello" ||
		len(d.Parameters) != 2 || *d.Parameters[0].Name != "name" || *d.Parameters[0].DefaultValue != "world" ||
		d.Status != types.DocumentStatusActive ||
		*d.DefaultVersion != "1" || *d.LatestVersion != "1" || fmt.Sprint(d.PlatformTypes) != "[Linux MacOS]" {
		t.Errorf("%+v", d)
	}
	_, err = create(client, "Greeting", greeting, types.DocumentFormatJson)
	wantCode(t, err, "DocumentAlreadyExists")
	update := func(text, version string) (*ssm.UpdateDocumentOutput, error) {
		return client.UpdateDocument(ctx, &ssm.UpdateDocumentInput{Name: aws.String("Greeting"), Content: &text, DocumentVersion: &version,
			VersionName: aws.String("v" + fmt.Sprint(len(text)))})
	}
	_, err = update(greeting, "$LATEST")
	wantCode(t, err, "DuplicateDocumentContent")
	two, err := update(strings.Replace(greeting, "hello", "good evening", 1), "1")
	must(t, err)
	if *two.DocumentDescription.DocumentVersion != "2" || *two.DocumentDescription.DefaultVersion != "1" {
		t.Errorf("%+v", two.DocumentDescription)
	}
	_, err = update(strings.Replace(greeting, "hello", "good morning", 1), "1")
	wantCode(t, err, "DuplicateDocumentVersionName")
	_, err = update(strings.Replace(greeting, "hello", "hi", 1), "7")
	wantCode(t, err, "InvalidDocumentVersion")

	_, err = client.UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{Name: aws.String("Greeting"),
		DocumentVersion: aws.String("2")})
	must(t, err)
	versions, err := client.ListDocumentVersions(ctx, &ssm.ListDocumentVersionsInput{Name: aws.String("Greeting")})
	must(t, err)
	if v := versions.DocumentVersions; len(v) != 2 || *v[0].DocumentVersion != "2" || !v[0].IsDefaultVersion || v[1].IsDefaultVersion {
		t.Errorf("%+v", v)
	}
	for version, want := range map[string]string{"1": "hello", "$DEFAULT": "good evening", "$LATEST": "good evening"} {
		got, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String("Greeting"), DocumentVersion: &version})
		must(t, err)
		if !strings.Contains(*got.Content, "says "+want) {
			t.Errorf("version %s: %s", version, *got.Content)
		}
	}
	_, err = client.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: aws.String("Greeting"), DocumentVersion: aws.String("2")})
	wantCode(t, err, "InvalidDocumentOperation")
	_, err = client.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: aws.String("Greeting"), DocumentVersion: aws.String("1")})
	must(t, err)
	_, err = client.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: aws.String("Greeting")})
	must(t, err)
	_, err = client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: aws.String("Greeting")})
	wantCode(t, err, "InvalidDocument")
}

func TestDocumentContentIsChecked(t *testing.T) {
	r := local.Start(t)
	client := people(r)
	for _, c := range []struct{ name, text, code string }{
		{"no JSON", `{"schemaVersion"`, "InvalidDocumentContent"},
		{"no steps", `{"schemaVersion":"2.2","mainSteps":[]}`, "InvalidDocumentContent"},
		{"no body", `{"schemaVersion":"1.2"}`, "InvalidDocumentContent"},
		{"step without name", `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript"}]}`, "InvalidDocumentContent"},
		{"two of a name", `{"schemaVersion":"2.2","mainSteps":[{"action":"a:b","name":"x"},{"action":"a:b","name":"x"}]}`,
			"InvalidDocumentContent"},
		{"schema", `{"schemaVersion":"3.0","mainSteps":[{"action":"a:b","name":"x"}]}`, "InvalidDocumentSchemaVersion"},
		{"parameter type", `{"schemaVersion":"2.2","parameters":{"p":{"type":"Mood"}},"mainSteps":[{"action":"a:b","name":"x"}]}`,
			"InvalidDocumentContent"},
		{"pattern", `{"schemaVersion":"2.2","parameters":{"p":{"type":"String","allowedPattern":"("}},"mainSteps":[{"action":"a:b","name":"x"}]}`, "InvalidDocumentContent"},
		{"size", `{"schemaVersion":"2.2","description":"` + strings.Repeat("x", 70000) + `","mainSteps":[{"action":"a:b","name":"x"}]}`,
			"MaxDocumentSizeExceeded"},
	} {
		_, err := create(client, "Bad", c.text, types.DocumentFormatJson)
		t.Run(c.name, func(t *testing.T) { wantCode(t, err, c.code) })
	}
	_, err := create(client, "AWS-RunShellScript", greeting, types.DocumentFormatJson)
	wantCode(t, err, "DocumentAlreadyExists")
	_, err = create(client, "aws-own", greeting, types.DocumentFormatJson)
	wantCode(t, err, "ValidationException")
	_, err = client.DeleteDocument(context.Background(), &ssm.DeleteDocumentInput{Name: aws.String("AWS-UpdateSSMAgent")})
	wantCode(t, err, "InvalidDocumentOperation")
}

func TestAYAMLDocumentIsSentAsJSON(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	text := "schemaVersion: 2.2\ndescription: |\n  two\n  lines\nparameters:\n  n: {type: Integer, default: 5}\nmainSteps:\n" +
		"- action: aws:runShellScript\n  name: one\n  inputs: &i\n    runCommand: ['echo {{ n }}', \"on: yes\"]\n- action: aws:runShellScript\n  name: two\n  inputs: *i\n"
	_, err := create(client, "Yaml", text, types.DocumentFormatYaml)
	must(t, err)
	asJSON, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String("Yaml"), DocumentFormat: types.DocumentFormatJson})
	must(t, err)
	want := `{"schemaVersion":"2.2","description":"two\nlines\n","parameters":{"n":{"type":"Integer","default":5}},"mainSteps":[` +
		`{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":["echo {{ n }}","on: yes"]}},` +
		`{"action":"aws:runShellScript","name":"two","inputs":{"runCommand":["echo {{ n }}","on: yes"]}}]}`
	if *asJSON.Content != want {
		t.Errorf("as JSON: %s", *asJSON.Content)
	}
	_, err = create(client, "Greeting", greeting, types.DocumentFormatJson)
	must(t, err)
	asYAML, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String("Greeting"), DocumentFormat: types.DocumentFormatYaml})
	must(t, err)
	if !strings.HasPrefix(*asYAML.Content, "schemaVersion: \"2.2\"\ndescription: says hello\nparameters:\n") {
		t.Errorf("as YAML: %s", *asYAML.Content)
	}
	_, err = create(client, "Back", *asYAML.Content, types.DocumentFormatYaml)
	must(t, err)
	bomb := "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n"
	_, err = create(client, "Bomb", bomb, types.DocumentFormatYaml)
	wantCode(t, err, "InvalidDocumentContent")
}

func TestDocumentsAreListedByFilters(t *testing.T) {
	r := local.Start(t)
	client, ctx := people(r), context.Background()
	must(t, r.PutDocument("Mine", greeting))
	list := func(key string, values ...string) (names []string) {
		t.Helper()
		out, err := client.ListDocuments(ctx, &ssm.ListDocumentsInput{Filters: []types.DocumentKeyValuesFilter{{Key: &key, Values: values}}})
		must(t, err)
		for _, d := range out.DocumentIdentifiers {
			names = append(names, *d.Name)
		}
		return names
	}
	for want, got := range map[string][]string{
		"[Mine]": list("Owner", "Self"),
		"[AWS-RunPowerShellScript AWS-RunShellScript AWS-UpdateSSMAgent]": list("Owner", "Amazon"),
		"[AWS-RunShellScript]":                                                 list("Name", "AWS-RunShell"),
		"[AWS-RunPowerShellScript AWS-UpdateSSMAgent]":                         list("PlatformTypes", "Windows"),
		"[AWS-RunPowerShellScript AWS-RunShellScript AWS-UpdateSSMAgent Mine]": list("DocumentType", "Command"),
	} {
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	page, err := client.ListDocuments(ctx, &ssm.ListDocumentsInput{MaxResults: aws.Int32(3)})
	must(t, err)
	rest, err := client.ListDocuments(ctx, &ssm.ListDocumentsInput{NextToken: page.NextToken})
	must(t, err)
	if len(page.DocumentIdentifiers) != 3 || len(rest.DocumentIdentifiers) != 1 || rest.NextToken != nil {
		t.Errorf("pages of %d and %d", len(page.DocumentIdentifiers), len(rest.DocumentIdentifiers))
	}
}

// The update document names this region's own manifest and nothing else.
func TestTheUpdateDocumentNamesTheRegionsBucket(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	_, err := r.SendCommand("AWS-UpdateSSMAgent", n.id, map[string][]string{"allowDowngrade": {"maybe"}})
	if err == nil || !strings.HasPrefix(err.Error(), "InvalidParameters") {
		t.Errorf("allowDowngrade=maybe: %v", err)
	}
	_, err = r.SendCommand("AWS-UpdateSSMAgent", n.id, map[string][]string{"version": {"9.2.0.0"}})
	must(t, err)
	var payload wire.SendCommand
	must(t, json.Unmarshal([]byte(n.poll()[0].Payload), &payload))
	var doc struct {
		SchemaVersion string
		MainSteps     []struct {
			Action, Name string
			Inputs       map[string]any
		}
	}
	must(t, json.Unmarshal(payload.DocumentContent, &doc))
	step := doc.MainSteps[1]
	if doc.SchemaVersion != "2.2" || step.Action != "aws:updateSsmAgent" || step.Name != "awsupdateSsmAgent" ||
		step.Inputs["source"] != r.URL()+"/amazon-ssm-{Region}/ssm-agent-manifest.json" || step.Inputs["agentName"] != "amazon-ssm-agent" {
		t.Errorf("%+v", doc)
	}
	if payload.Parameters["version"] != "9.2.0.0" || payload.Parameters["allowDowngrade"] != "false" {
		t.Errorf("%+v", payload.Parameters)
	}
}
