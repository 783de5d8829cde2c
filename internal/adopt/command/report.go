package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/adopt"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// guide is where the way from here on is written.
const guide = "https://registry.terraform.io/providers/meshegress/istio/latest/docs/guides/from-istio-yaml"

// headings say what the findings of an effect are.
var headings = map[adopt.Effect]string{
	adopt.LeftOut: "Left out: nothing in the configuration says it",
	adopt.Changed: "Changed: the configuration says it, and it acts differently",
	adopt.Fails:   "Fails today, and no policy has it",
	adopt.Stays:   "Stays: the object goes on acting as it does",
}

// report says what was read, what became of it, and what did not.
func report(out io.Writer, result adopt.Result, read int) {
	fmt.Fprintf(out, "%s read: %d of this provider, %d that no way out goes through.\n", count(read, "object"), result.Owned, result.Others)
	fmt.Fprintf(out, "Written: %s, %s, %s.\n", count(len(result.Gateways), "gateway"), count(len(result.Policies), "policy"),
		count(len(result.Outbound), "outbound traffic policy"))
	for _, effect := range adopt.Effects() {
		heading := fmt.Sprintf("\n%s.\n", headings[effect])
		for _, finding := range result.Findings {
			if finding.Effect == effect {
				fmt.Fprintf(out, "%s  - %s\n", heading, finding)
				heading = ""
			}
		}
	}
	if len(result.Policies) == 0 {
		return
	}
	fmt.Fprintf(out, "\nWho may reach what by the policies.\n")
	for _, p := range result.Policies {
		for _, grant := range policy.Grants(p.Intent) {
			fmt.Fprintf(out, "  %s\n", grant)
		}
	}
	fmt.Fprintf(out, "\nHow to move without a hole: %s\n", guide)
}

func count(n int, noun string) string {
	if n != 1 {
		if before, ok := strings.CutSuffix(noun, "cy"); ok {
			noun = before + "cie"
		}
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
