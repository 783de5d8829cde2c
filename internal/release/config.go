package release

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"sigs.k8s.io/yaml"
)

// ConfigName is goreleaser's configuration, in the top folder of the repository.
const ConfigName = ".goreleaser.yml"

// Config is the part of goreleaser's configuration that decides about archives
// (https://goreleaser.com/customization).
type Config struct {
	ProjectName string `json:"project_name"`
	Builds      []struct {
		Binary       string   `json:"binary"`
		Env          []string `json:"env"`
		Flags        []string `json:"flags"`
		Ldflags      []string `json:"ldflags"`
		ModTimestamp string   `json:"mod_timestamp"`
		Goos         []string `json:"goos"`
		Goarch       []string `json:"goarch"`
	} `json:"builds"`
	Archives []struct {
		Formats      []string `json:"formats"`
		NameTemplate string   `json:"name_template"`
		Files        []struct {
			Src  string   `json:"src"`
			Info FileInfo `json:"info"`
		} `json:"files"`
		BuildsInfo FileInfo `json:"builds_info"`
	} `json:"archives"`
	SBOMs []struct {
		Artifacts string   `json:"artifacts"`
		Documents []string `json:"documents"`
	} `json:"sboms"`
	Checksum struct {
		NameTemplate string      `json:"name_template"`
		Algorithm    string      `json:"algorithm"`
		ExtraFiles   []ExtraFile `json:"extra_files"`
	} `json:"checksum"`
	Signs []struct {
		Artifacts string   `json:"artifacts"`
		Signature string   `json:"signature"`
		Args      []string `json:"args"`
	} `json:"signs"`
	Snapshot struct {
		VersionTemplate string `json:"version_template"`
	} `json:"snapshot"`
	Release struct {
		ExtraFiles []ExtraFile `json:"extra_files"`
	} `json:"release"`
}

// FileInfo is what an archive says of a file in it.
type FileInfo struct {
	Mtime string `json:"mtime"`
	Mode  int64  `json:"mode"`
}

// ExtraFile is a file of the repository that is released as it is.
type ExtraFile struct {
	Glob         string `json:"glob"`
	NameTemplate string `json:"name_template"`
}

// Load reads the configuration of the checkout at root.
func Load(root string) (Config, error) {
	var config Config
	text, err := os.ReadFile(filepath.Join(root, ConfigName))
	if err != nil {
		return config, err
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return config, fmt.Errorf("%s: %w", ConfigName, err)
	}
	if len(config.Builds) != 1 || len(config.Archives) != 1 {
		return config, fmt.Errorf("%s: one entry of builds and one of archives are expected", ConfigName)
	}
	return config, nil
}

// Names are the variables of goreleaser's templates that ours use
// (https://goreleaser.com/customization/templates).
type Names struct {
	ProjectName, Version, Os, Arch string
	CommitDate, CommitTimestamp    string
}

// Expand expands a template.
func (n Names) Expand(text string) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s: template %q: %w", ConfigName, text, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, n); err != nil {
		return "", fmt.Errorf("%s: template %q: %w", ConfigName, text, err)
	}
	return b.String(), nil
}
