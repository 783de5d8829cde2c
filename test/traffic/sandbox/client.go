package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

// Do asks the workload behind a socket for a call. An error says that the workload
// could not be asked, not that the call failed.
func Do(ctx context.Context, socket string, call Call) (Answer, error) {
	body, err := json.Marshal(call)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://workload/", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Answer{}, fmt.Errorf("ask the workload: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer Answer
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}
