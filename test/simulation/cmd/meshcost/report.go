package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/simulation/meshcost"
)

type measurement struct {
	layout meshcost.Layout
	spread meshcost.Spread
	result meshcost.Result
}

// tables are in Markdown, one for each proxy and one for istiod itself.
func tables(all []measurement) string {
	var b strings.Builder
	line := func(cells ...any) {
		for _, cell := range cells {
			_, _ = fmt.Fprintf(&b, "| %v ", cell)
		}
		b.WriteString("|\n")
	}
	for i, proxy := range meshcost.Proxies {
		_, _ = fmt.Fprintf(&b, "### %s\n\n", strings.ToUpper(proxy[:1])+proxy[1:])
		line("policies", "in namespaces", "layout", "clusters", "listeners", "filter chains", "routes", "pushed", "processor time")
		line("---:", "---:", "---", "---:", "---:", "---:", "---:", "---:", "---:")
		for _, m := range all {
			c := m.result.Configs[i]
			line(m.spread.Policies, m.spread.Namespaces, m.layout.Name, c.Clusters, c.Listeners, c.FilterChains, c.Routes,
				meshcost.Size(c.Bytes), milliseconds(m.result.Took[i]))
		}
		b.WriteString("\n")
	}
	b.WriteString("### istiod, once for all proxies\n\n")
	line("policies", "in namespaces", "layout", "objects", "processor time")
	line("---:", "---:", "---", "---:", "---:")
	for _, m := range all {
		line(m.spread.Policies, m.spread.Namespaces, m.layout.Name, m.result.Objects, milliseconds(m.result.Context))
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

// csv has a line for each measurement and proxy.
func csv(all []measurement) string {
	var b strings.Builder
	b.WriteString("layout,policies,namespaces,objects,context_ms,proxy,clusters,listeners,filter_chains,routes,bytes,processor_ms\n")
	for _, m := range all {
		for i, proxy := range meshcost.Proxies {
			c := m.result.Configs[i]
			_, _ = fmt.Fprintf(&b, "%s,%d,%d,%d,%.3f,%s,%d,%d,%d,%d,%d,%.3f\n", m.layout.Name, m.spread.Policies, m.spread.Namespaces,
				m.result.Objects, m.result.Context.Seconds()*1000, proxy,
				c.Clusters, c.Listeners, c.FilterChains, c.Routes, c.Bytes, m.result.Took[i].Seconds()*1000)
		}
	}
	return b.String()
}

// lines are those of the plot: a colour for each proxy, dashes for what is by hand.
func lines(all []measurement) []meshcost.Line {
	colours := []string{meshcost.Source: "#1f77b4", meshcost.Bystander: "#d62728", meshcost.Gateway: "#2ca02c"}
	names := []string{meshcost.Source: "source sidecar", meshcost.Bystander: "sidecar of another namespace", meshcost.Gateway: "gateway"}
	var drawn []meshcost.Line
	for i := range meshcost.Proxies {
		for _, l := range []meshcost.Layout{meshcost.Policies, meshcost.ByHand} {
			line := meshcost.Line{Name: names[i] + ", " + l.Name, Colour: colours[i], Dashed: l.Name == meshcost.ByHand.Name}
			for _, m := range all {
				if m.layout.Name == l.Name && m.spread.Namespaces == 1 {
					line.Points = append(line.Points, meshcost.Point{Policies: m.spread.Policies, Bytes: m.result.Configs[i].Bytes})
				}
			}
			drawn = append(drawn, line)
		}
	}
	return drawn
}
