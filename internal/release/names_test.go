package release

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root    = "../.."
	project = "terraform-provider-istio"
)

func loaded(t *testing.T) Config {
	t.Helper()
	config, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestNames: what the registries look for, in "Preparing your provider" of
// https://developer.hashicorp.com/terraform/registry/providers/publishing.
func TestNames(t *testing.T) {
	config := loaded(t)
	names := Names{ProjectName: config.ProjectName, Version: "1.2.3", Os: "linux", Arch: "arm64"}
	expand := func(text string) string {
		t.Helper()
		got, err := names.Expand(text)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for want, template := range map[string]string{
		project + "_v1.2.3":                            config.Builds[0].Binary,
		project + "_1.2.3_linux_arm64":                 config.Archives[0].NameTemplate,
		project + "_1.2.3_SHA256SUMS":                  config.Checksum.NameTemplate,
		project + "_1.2.3_manifest.json":               config.Checksum.ExtraFiles[0].NameTemplate,
		"release: " + project + "_1.2.3_manifest.json": "release: " + config.Release.ExtraFiles[0].NameTemplate,
	} {
		if got := expand(template); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := config.Archives[0].Formats; !slices.Equal(got, []string{"zip"}) {
		t.Errorf("archives are %v, want zip", got)
	}
	if config.Checksum.Algorithm != "sha256" {
		t.Errorf("checksums are %s, want sha256", config.Checksum.Algorithm)
	}
	if s := config.Signs; len(s) != 1 || s[0].Artifacts != "checksum" || s[0].Signature != "${artifact}.sig" ||
		!slices.Contains(s[0].Args, "--detach-sign") || slices.Contains(s[0].Args, "--armor") {
		t.Errorf("the checksums need a detached, binary signature beside them: %+v", s)
	}
	// HCP Terraform runs linux/amd64 and nothing else.
	if b := config.Builds[0]; !slices.Contains(b.Goos, "linux") || !slices.Contains(b.Goarch, "amd64") || !slices.Contains(b.Env, "CGO_ENABLED=0") {
		t.Errorf("a static executable for linux/amd64 is missing: %+v", b)
	}
}

// TestReproducible: nothing of the machine and of the moment is put in. That it is so
// is what `make reproducible` sees.
func TestReproducible(t *testing.T) {
	config := loaded(t)
	b, a := config.Builds[0], config.Archives[0]
	if !slices.Contains(b.Flags, "-trimpath") || b.ModTimestamp != "{{ .CommitTimestamp }}" {
		t.Errorf("builds: %+v", b)
	}
	infos := []FileInfo{a.BuildsInfo}
	for _, file := range a.Files {
		if strings.ContainsAny(file.Src, "*?[") {
			t.Errorf("%s: what a pattern takes depends on what lies about", file.Src)
		}
		infos = append(infos, file.Info)
	}
	for _, info := range infos {
		if info.Mtime != "{{ .CommitDate }}" || info.Mode == 0 {
			t.Errorf("archives: %+v should have the commit's time and a mode", info)
		}
	}
}

// TestManifest: the protocol is the one of main.go (terraform-plugin-framework's
// providerserver speaks 6 unless told otherwise).
func TestManifest(t *testing.T) {
	var manifest struct {
		Version  int
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "terraform-registry-manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || manifest.Version != 1 || !slices.Equal(manifest.Metadata.ProtocolVersions, []string{"6.0"}) {
		t.Errorf("%+v (%v)", manifest, err)
	}
}

// TestSnapshotVersion: `init` takes no pre-release that nobody asked for by name.
func TestSnapshotVersion(t *testing.T) {
	if got := loaded(t).Snapshot.VersionTemplate; strings.Contains(got, "-") {
		t.Errorf("%s makes a pre-release", got)
	}
}
