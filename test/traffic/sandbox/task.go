package sandbox

// Role is the role of a machine that is a pod.
const Role = "pod"

// Task is what a pod has to run.
type Task struct {
	// Sysctls of the pod's network namespace, as in a pod's security context.
	Sysctls map[string]string
	// Init is run one after the other before everything else.
	Init []Command
	// Run is started after that and kept running.
	Run []Command
	// Socket is the path of the Unix socket on which calls are ordered.
	Socket string
	// Identity is the folder in which pilot-agent writes the pod's certificate, as
	// OUTPUT_CERTS in its environment says.
	Identity string
	// CA is the path of the certificate that the workload trusts in HTTPS calls.
	CA string
}

// Command is one process of a pod.
type Command struct {
	Name string
	Argv []string
	Env  []string
	// Dir is the working directory, which stands for the root of the container's
	// file system.
	Dir string
	// User is the user and group id.
	User uint32
	// Log takes standard output and standard error.
	Log string
}
