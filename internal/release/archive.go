package release

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Archive builds the archive of one platform, as goreleaser does from the same
// configuration, into dir, and returns its path. root is the checkout, version has
// no leading v.
func Archive(ctx context.Context, root, dir, version, goos, goarch string) (string, error) {
	config, err := Load(root)
	if err != nil {
		return "", err
	}
	date, err := commitDate(ctx, root)
	if err != nil {
		return "", err
	}
	names := Names{
		ProjectName: config.ProjectName, Version: version, Os: goos, Arch: goarch,
		CommitDate: date.UTC().Format(time.RFC3339), CommitTimestamp: fmt.Sprint(date.Unix()),
	}
	binary, err := build(ctx, config, names, root, dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(binary) }()
	return pack(config, names, root, binary)
}

// build runs the go command and returns the executable's path in dir.
func build(ctx context.Context, config Config, names Names, root, dir string) (string, error) {
	b := config.Builds[0]
	name, err := names.Expand(b.Binary)
	if err != nil {
		return "", err
	}
	if names.Os == "windows" {
		name += ".exe"
	}
	var ldflags []string
	for _, flag := range b.Ldflags {
		if flag, err = names.Expand(flag); err != nil {
			return "", err
		}
		ldflags = append(ldflags, flag)
	}
	target := filepath.Join(dir, name)
	command := exec.CommandContext(ctx, "go", append(append([]string{"build"}, b.Flags...), "-ldflags", strings.Join(ldflags, " "), "-o", target, ".")...)
	command.Dir = root
	command.Env = append(append(os.Environ(), "GOOS="+names.Os, "GOARCH="+names.Arch), b.Env...)
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider for %s/%s: %w\n%s", names.Os, names.Arch, err, output)
	}
	return target, nil
}

// pack puts the executable and the files of the configuration into a zip archive
// beside it.
func pack(config Config, names Names, root, binary string) (_ string, err error) {
	a := config.Archives[0]
	name, err := names.Expand(a.NameTemplate)
	if err != nil {
		return "", err
	}
	target := filepath.Join(filepath.Dir(binary), name+".zip")
	file, err := os.Create(target)
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	w := zip.NewWriter(file)
	for _, f := range a.Files {
		if err := add(w, names, filepath.Join(root, f.Src), f.Info); err != nil {
			return "", err
		}
	}
	if err := add(w, names, binary, a.BuildsInfo); err != nil {
		return "", err
	}
	return target, w.Close()
}

func add(w *zip.Writer, names Names, path string, info FileInfo) error {
	text, err := names.Expand(info.Mtime)
	if err != nil {
		return err
	}
	modified, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: filepath.Base(path), Method: zip.Deflate, Modified: modified.UTC()}
	header.SetMode(fs.FileMode(info.Mode))
	to, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	_, err = io.Copy(to, from)
	return err
}

// commitDate is the only time that a release knows.
func commitDate(ctx context.Context, root string) (time.Time, error) {
	command := exec.CommandContext(ctx, "git", "show", "--no-patch", "--no-show-signature", "--format=%cI", "HEAD")
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("the date of the commit: %w", err)
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(string(output)))
}
