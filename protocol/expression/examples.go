package expression

// An Example is a question that people can start from.
type Example struct {
	Title  Words  `json:"title"`
	Source string `json:"expression"`
}

// Examples returns questions worth asking. They read plain fields only.
func Examples() []Example {
	return []Example{
		{Words{"Programs that use more than 1 GB of memory", "Programy, które zajmują ponad 1 GB pamięci"}, `filter(processes, .rss_bytes > 1e9)`},
		{Words{"Drives more than 90% full", "Dyski zajęte w ponad 90%"}, `filter(filesystems, .used > 0.9)`},
		{Words{"Programs that keep a core busy", "Programy, które zajmują cały rdzeń"}, `filter(processes, .cpu > 0.9)`},
		{Words{"Services that failed", "Usługi, które uległy awarii"}, `filter(services, .state == "failed")`},
		{Words{"Days since the last start", "Dni od ostatniego uruchomienia"}, `floor(uptime_seconds / 86400)`},
		{Words{"Free memory and load", "Wolna pamięć i obciążenie"}, `{available: memory.available_bytes, used: memory.used, load: cpu.load_1m}`},
		{Words{"Is printing (CUPS) running?", "Czy działa drukowanie (CUPS)?"}, `service("cups").state ?? "not installed"`},
		{Words{"System and kernel", "System i jądro"}, `{system: os.name, kernel: os.kernel}`},
		{Words{"Kernel older than 6.1", "Jądro starsze niż 6.1"}, `version(os.kernel) < "6.1"`},
		{Words{"Model and memory of the computer", "Model i pamięć komputera"}, `{vendor: hardware.vendor, model: hardware.model, memory: hardware.memory_bytes}`},
	}
}
