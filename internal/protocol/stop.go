package protocol

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// run is the time until the user interrupts a command. A provider that is being
// debugged serves several commands, so there may be a next one.
type run struct {
	ctx  context.Context
	stop context.CancelFunc
}

func newRun() *run {
	ctx, stop := context.WithCancel(context.Background())
	return &run{ctx, stop}
}

// StopProvider implements tfprotov6.ProviderServer: the calls that are under way
// end early.
func (s *Server) StopProvider(ctx context.Context, req *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	s.run.Swap(newRun()).stop()
	return s.served.StopProvider(ctx, req)
}

// stoppable returns a context that StopProvider ends, as the framework does for
// the calls that it serves.
func (s *Server) stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(s.run.Load().ctx, cancel)
	return ctx, func() {
		unhook()
		cancel()
	}
}
