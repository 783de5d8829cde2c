package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/adopt"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// Exit codes.
const (
	complete = 0
	failed   = 1
	leftOut  = 2
)

// options are the flags.
type options struct {
	adopt.Options
	source
	output string
}

// Run is the command: it reads what the arguments say, writes configuration and
// report, and returns the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return complete
	case err != nil:
		fmt.Fprintf(stderr, "adopt: %v\nadopt --help lists the flags.\n", err)
		return failed
	}
	var nodes []*yaml.Node
	if len(o.files) > 0 {
		nodes, err = readFiles(o.files, stdin)
	} else {
		nodes, err = readCluster(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(stderr, "adopt: %v\n", err)
		return failed
	}
	result := adopt.Adopt(nodes, o.Options)
	documents := render(result)
	if err := put(documents, o.output, stdout); err != nil {
		fmt.Fprintf(stderr, "adopt: %v\n", err)
		return failed
	}
	report(stderr, result, len(nodes))
	if result.LeftOut() {
		return leftOut
	}
	return complete
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := pflag.NewFlagSet("adopt", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.SortFlags = false
	flags.Usage = func() {
		fmt.Fprint(stderr, "Reads hand-written Istio egress and writes Terraform policies with the same grants.\n\n"+
			"  adopt -A [--source-namespaces a,b]     all namespaces of a cluster\n"+
			"  kubectl get ... -o yaml | adopt -f -   objects from files or standard input\n\n")
		flags.PrintDefaults()
		fmt.Fprint(stderr, "\nExit code 2: something is left out, see the report.\n")
	}
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file (default $KUBECONFIG or ~/.kube/config)")
	flags.StringVar(&o.context, "context", "", "context in the kubeconfig")
	flags.StringSliceVarP(&o.namespaces, "namespace", "n", nil, "namespaces to read, besides Istio's and that of the new gateways; with -f, the namespace of objects that name none")
	flags.BoolVarP(&o.all, "all-namespaces", "A", false, "read all namespaces")
	flags.StringSliceVarP(&o.files, "filename", "f", nil, "read files, the YAML and JSON files of directories, or - for standard input, instead of a cluster")
	flags.StringVarP(&o.output, "output", "o", "", "write files into this directory instead of standard output; files that are there are kept")
	flags.StringSliceVar(&o.SourceNamespaces, "source-namespaces", nil, "namespaces from which hosts are called that every namespace may call today")
	flags.StringVar(&o.GatewayNamespace, "gateway-namespace", workload.Defaults().Namespace, "namespace of the new gateways")
	flags.StringVar(&o.RootNamespace, "istio-namespace", "istio-system", "Istio's root namespace, as in the provider block")
	flags.StringVar(&o.TrustDomain, "trust-domain", "cluster.local", "trust domain of the mesh, as in the provider block")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.DefaultNamespace = "default"
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case len(o.files) > 0 && (o.all || o.kubeconfig != "" || o.context != ""):
		return o, errors.New("-f reads no cluster: leave --kubeconfig, --context and -A out")
	case len(o.files) > 0 && len(o.namespaces) > 1:
		return o, errors.New("with -f, -n is one namespace: that of objects that name none")
	case len(o.files) > 0 && len(o.namespaces) == 1:
		o.DefaultNamespace = o.namespaces[0]
	case len(o.files) == 0 && o.all == (len(o.namespaces) > 0):
		return o, errors.New("say what to read: -A for all namespaces, -n for some, or -f for files")
	}
	return o, nil
}

// put writes the configuration. A file that is there may have been edited.
func put(documents []document, directory string, stdout io.Writer) error {
	for i, d := range documents {
		if directory == "" {
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			if _, err := stdout.Write(d.text); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		path := filepath.Join(directory, d.name)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("%w; move it away, or write into another directory", err)
		}
		_, err = f.Write(d.text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
