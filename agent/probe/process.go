package probe

const maxProcesses = 5000
