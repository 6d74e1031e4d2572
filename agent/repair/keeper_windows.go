package repair

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// KeeperCommand is the hidden command of a keeper; on Windows a job object is
// the keeper.
const KeeperCommand = "keep-run"

// keeping is nothing: there is no keeper to wait for when a run is to end.
const keeping = 0

// Keep refuses: a job object does this here.
func Keep([]string) int { return 64 }

func keeper(script, _ string, _ bool) (*exec.Cmd, error) {
	root := os.Getenv("SystemRoot")
	if filepath.Ext(script) == ".cmd" {
		return exec.Command(filepath.Join(root, "System32", "cmd.exe"), "/d", "/q", "/c", script), nil
	}
	return exec.Command(filepath.Join(root, "System32", "WindowsPowerShell", "v1.0", "powershell.exe"),
		"-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script), nil
}

var resumeProcess = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtResumeProcess")

// start runs cmd in a job that ends with its last handle, and everything in it;
// the function it returns closes that handle. The script begins when it is in the
// job: what it starts before would be in none.
func start(cmd *exec.Cmd) (func(), error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("make a job object: %w", err)
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		windows.CloseHandle(job)
		return nil, fmt.Errorf("limit a job object: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED}
	if err := cmd.Start(); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	handle, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE|windows.PROCESS_SUSPEND_RESUME, false, uint32(cmd.Process.Pid))
	if err == nil {
		if err = windows.AssignProcessToJobObject(job, handle); err == nil {
			if status, _, _ := resumeProcess.Call(uintptr(handle)); int32(status) < 0 {
				err = windows.NTStatus(status)
			}
		}
		windows.CloseHandle(handle)
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		windows.CloseHandle(job)
		return nil, fmt.Errorf("put the script into its job object: %w", err)
	}
	return sync.OnceFunc(func() { windows.CloseHandle(job) }), nil
}

func systemEnvironment(tmp string) []string {
	return []string{"SystemRoot=" + os.Getenv("SystemRoot"), "TEMP=" + tmp, "TMP=" + tmp,
		"PATH=" + filepath.Join(os.Getenv("SystemRoot"), "System32")}
}

// CanSandbox tells whether a dry run cannot write here, whatever the script does.
func CanSandbox() bool { return false }
