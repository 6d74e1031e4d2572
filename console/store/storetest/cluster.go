package storetest

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A Cluster is a PostgreSQL server of our own, in a temporary directory, on a
// random port of the loopback interface. It does not call fsync unless it is durable.
type Cluster struct {
	URL string // of the superuser

	dir   string
	guard *exec.Cmd
	ask   io.WriteCloser
	hear  *bufio.Reader
}

// The guard is a small process that stops the server when its input ends, and
// so also when the test is killed.
const guard = `
set -e
cd /
trap '' INT TERM HUP
"$BIN/initdb" -D "$DIR/data" -A scram-sha-256 --pwfile="$DIR/password" -U postgres --no-sync -E UTF8 --locale=C.UTF-8 >"$DIR/log" 2>&1
start() {
	"$BIN/pg_ctl" -D "$DIR/data" -w -l "$DIR/log" -o "-c listen_addresses=127.0.0.1 -c port=$PORT -c unix_socket_directories=$DIR -c fsync=$SYNC -c full_page_writes=$SYNC -c synchronous_commit=$SYNC -c max_connections=200" start >/dev/null 2>&1 </dev/null
}
stop() { "$BIN/pg_ctl" -D "$DIR/data" -w -m "$1" stop >/dev/null 2>&1 </dev/null; }
start
echo ready
while read -r word; do
	case $word in
	start) start && echo started ;;
	stop) stop immediate && echo stopped ;;
	esac
done
stop immediate || true
rm -rf "$DIR"
`

// StartCluster starts a server. It stops when this process ends, or by Close.
func StartCluster() (*Cluster, error) { return startCluster("off") }

// StartDurable starts one that has on its disk what it has committed, for measuring.
func StartDurable() (*Cluster, error) { return startCluster("on") }

func startCluster(sync string) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("deskside-postgres-%d-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(password), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", guard)
	cmd.Env = []string{"BIN=" + bin, "DIR=" + dir, "PORT=" + port, "SYNC=" + sync, "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C reaches us, not the guard
	if os.Getuid() == 0 {
		// PostgreSQL refuses to run as root.
		if err := giveToPostgres(cmd, dir); err != nil {
			return nil, err
		}
	}
	c := &Cluster{URL: "postgres://postgres:" + password + "@127.0.0.1:" + port + "/postgres", dir: dir, guard: cmd}
	if c.ask, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.hear = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := c.expect("ready"); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("starting a cluster: %w\n%s", err, log), c.Close(), os.RemoveAll(dir))
	}
	return c, nil
}

// Stop stops the server at once, as a crash would; Start starts it again.
func (c *Cluster) Stop() error { return c.say("stop", "stopped") }

// Start starts the server again after Stop.
func (c *Cluster) Start() error { return c.say("start", "started") }

// Signal sends a signal to all processes of the server, the first one first: with
// SIGSTOP it is there and does not answer, until SIGCONT.
func (c *Cluster) Signal(s syscall.Signal) error {
	raw, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("postmaster.pid: %w", err)
	}
	if err := syscall.Kill(pid, s); err != nil {
		return err
	}
	raw, err = os.ReadFile("/proc/" + first + "/task/" + first + "/children")
	for _, child := range strings.Fields(string(raw)) {
		n, bad := strconv.Atoi(child)
		if end := syscall.Kill(n, s); bad != nil || end != nil && !errors.Is(end, syscall.ESRCH) {
			err = errors.Join(err, bad, end)
		}
	}
	return err
}

// Close stops the server for good and removes its files.
func (c *Cluster) Close() error {
	err := c.ask.Close()
	c.guard.Wait() //nolint:errcheck // its exit code says nothing more
	return err
}

func (c *Cluster) say(word, answer string) error {
	if _, err := io.WriteString(c.ask, word+"\n"); err != nil {
		return err
	}
	return c.expect(answer)
}

func (c *Cluster) expect(answer string) error {
	line, err := c.hear.ReadString('\n')
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(line); got != answer {
		return fmt.Errorf("the cluster's guard said %q, not %q", got, answer)
	}
	return nil
}

func giveToPostgres(cmd *exec.Cmd, dir string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("%w: PostgreSQL does not run as root and needs the user postgres; install it with: apt-get install postgresql", err)
	}
	var uid, gid int
	if _, err := fmt.Sscan(u.Uid+" "+u.Gid, &uid, &gid); err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return errors.Join(os.Chown(dir, uid, gid), os.Chown(filepath.Join(dir, "password"), uid, gid))
}

// binaries finds the newest PostgreSQL that is installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no initdb in /usr/lib/postgresql/*/bin or PATH, and DESKSIDE_TEST_POSTGRES is not set; install it with: apt-get install postgresql")
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
