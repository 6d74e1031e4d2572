package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/deskside/deskside/protocol"
)

// unit is our own systemd unit: kardianos' own waits two minutes before it
// starts a service again, and hardens nothing.
const unit = `[Unit]
Description={{Description}}
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=20
ProtectKernelModules=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
`

func serviceOf(v *viper.Viper, run service.Interface) (service.Service, error) {
	return service.New(run, &service.Config{
		Name: "deskside-agent", DisplayName: "Deskside agent",
		Description: "Knows how this computer feels and repairs it with scripts that people have approved.",
		Arguments:   []string{"service", "--state", v.GetString("state"), "--policy", v.GetString("policy")},
		Option: service.KeyValue{"SystemdScript": unit, "OnFailure": "restart", "OnFailureDelayDuration": "5s",
			"OnFailureResetPeriod": 3600, "RunAtLoad": true, "KeepAlive": true},
	})
}

// program is the agent under a service manager.
type program struct {
	v      *viper.Viper
	agent  *Agent
	cancel context.CancelFunc
	done   chan error
}

func (p *program) Start(service.Service) error {
	light()
	log := logger(p.v)
	a, err := Open(Options{State: p.v.GetString("state"), Policy: p.v.GetString("policy"), Log: log, SystemLog: systemLog(p.v, log)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.agent, p.cancel, p.done = a, cancel, make(chan error, 1)
	go func() { p.done <- a.Run(ctx, protocol.GoodbyeStopped) }()
	return nil
}

// Stop ends the agent because somebody stops the service or, where the system
// does not call Shutdown, because the machine goes down.
func (p *program) Stop(service.Service) error { return p.end(leaving()) }

// Shutdown ends the agent because the machine goes down (Windows).
func (p *program) Shutdown(service.Service) error { return p.end(protocol.GoodbyeShutDown) }

func (p *program) end(reason string) error {
	p.agent.line.Leave(reason)
	p.cancel()
	select {
	case err := <-p.done:
		return err
	case <-time.After(15 * time.Second):
		return errors.New("the agent did not end in time")
	}
}

// nothing is a service that is only looked at.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }

func serviceCommands(v *viper.Viper) []*cobra.Command {
	act := func(use, short string, do func(service.Service) error) *cobra.Command {
		c := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := serviceOf(v, nothing{})
			if err != nil {
				return fmt.Errorf("%w: %w", errConfig, err)
			}
			if err := do(s); err != nil {
				if _, state := s.Status(); use != "install" && errors.Is(state, service.ErrNotInstalled) {
					return fmt.Errorf("%s the service: it is not installed; deskside-agent install does that", use)
				}
				return fmt.Errorf("%s the service: %w", use, err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), use+": done")
			return nil
		}}
		c.Flags().String("policy", DefaultPolicy(), "the administrator's policy file")
		return c
	}
	status := &cobra.Command{Use: "status", Short: "Say whether the service runs", RunE: func(cmd *cobra.Command, _ []string) error {
		s, err := serviceOf(v, nothing{})
		if err != nil {
			return fmt.Errorf("%w: %w", errConfig, err)
		}
		state, err := s.Status()
		word := map[service.Status]string{service.StatusRunning: "running", service.StatusStopped: "stopped"}[state]
		switch {
		case errors.Is(err, service.ErrNotInstalled):
			word = "not installed"
		case err != nil:
			word = fmt.Sprintf("unknown: the service manager did not answer (%v)", err)
		case word == "":
			word = "unknown"
		}
		fmt.Fprintln(cmd.OutOrStdout(), word)
		if word != "running" {
			return exitError(exitFailed)
		}
		return nil
	}}
	run := &cobra.Command{Use: "service", Hidden: true, Short: "Run under the service manager", RunE: func(*cobra.Command, []string) error {
		s, err := serviceOf(v, &program{v: v})
		if err != nil {
			return fmt.Errorf("%w: %w", errConfig, err)
		}
		return s.Run()
	}}
	run.Flags().String("policy", DefaultPolicy(), "the administrator's policy file")
	run.Flags().String("log-level", "info", "debug, info, warn or error")
	return []*cobra.Command{
		act("install", "Install the agent as a service of this system", service.Service.Install),
		act("uninstall", "Remove the service", service.Service.Uninstall),
		act("start", "Start the service", service.Service.Start),
		act("stop", "Stop the service", service.Service.Stop),
		status, run,
	}
}
