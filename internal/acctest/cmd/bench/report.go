package main

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

// Targets: what the provider may cost, as a multiple of the floors.
const (
	targetNoop       = 1.5
	targetApply      = 1.3
	targetDestroy    = 1.3
	targetStateBytes = 3 << 10
)

func report(out io.Writer, count int, provider, core operations, raw floors) {
	print := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	print("")
	print("%d policies of one HTTPS host and one source: %d objects. %s, %d cores.", count, raw.objects, runtime.GOARCH, runtime.NumCPU())
	print("")
	print("| operation | policies | terraform_data | raw API | ratio | target | CPU of policies | of it the provider's | CPU of terraform_data | provider peak RSS | requests |")
	print("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, row := range []struct {
		name           string
		provider, core cost
		raw            time.Duration
		target         float64
	}{
		{"plan (create)", provider.plan, core.plan, 0, 0},
		{"apply", provider.apply, core.apply, raw.apply, targetApply},
		{"no-op plan", provider.noop, core.noop, raw.list, targetNoop},
		{"destroy", provider.destroy, core.destroy, raw.destroy, targetDestroy},
	} {
		ratio := row.provider.wall.Seconds() / (row.core.wall + row.raw).Seconds()
		print("| %s | %.2f s | %.2f s | %.2f s | %.2f | %s | %.2f s | %.2f s | %.2f s | %d MB | %d |", row.name, row.provider.wall.Seconds(), row.core.wall.Seconds(),
			row.raw.Seconds(), ratio, verdict(ratio, row.target), row.provider.cpu.Seconds(), row.provider.provider.cpu.Seconds(), row.core.cpu.Seconds(), row.provider.provider.peakRSS>>20, len(row.provider.requests))
	}
	perPolicy := float64(provider.stateBytes) / float64(count)
	print("")
	print("State: %.0f bytes a policy (target %s), terraform_data beside it %.0f.", perPolicy,
		verdict(perPolicy, targetStateBytes), float64(core.stateBytes)/float64(count))
	print("The ratio is policies / (terraform_data + raw API), of wall time. CPU is that of CLI and provider: it holds on a busy machine too.")
	for _, row := range []struct {
		name string
		cost cost
	}{{"plan (create)", provider.plan}, {"apply", provider.apply}, {"no-op plan", provider.noop}, {"destroy", provider.destroy}} {
		print("\nRequests of %s:\n%s", row.name, row.cost.requests)
	}
}

// verdict prints a target, and whether it is kept.
func verdict(value, target float64) string {
	switch {
	case target == 0:
		return "-"
	case value <= target:
		return fmt.Sprintf("<= %g: kept", target)
	default:
		return fmt.Sprintf("<= %g: MISSED", target)
	}
}
