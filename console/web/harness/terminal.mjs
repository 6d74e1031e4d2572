// The far end of a terminal for the harness: a line editor that speaks the frames of a session.
const kinds = { output: 1, input: 2, resize: 3, ack: 4, exit: 5, notice: 6 };

function frame(kind, offset, payload = Buffer.alloc(0)) {
	const head = Buffer.alloc(9);
	head[0] = kind;
	head.writeBigUInt64BE(BigInt(offset), 1);
	return Buffer.concat([head, payload]);
}

const prompt = "\x1b[1;32mdeskside\x1b[0m@\x1b[1;34mLAP-KRK-0142\x1b[0m:~$ ";
const answers = {
	"df -h":
		"Filesystem      Size  Used Avail Use% Mounted on\r\n/dev/nvme0n1p2   98G   41G   53G  44% /\r\n/dev/nvme0n1p3  238G  233G  5.2G  \x1b[33m98%\x1b[0m /home\r\n",
	"systemctl status cups":
		"\x1b[1;31m×\x1b[0m cups.service - CUPS Scheduler\r\n     Active: \x1b[1;31mfailed\x1b[0m (Result: exit-code) since Thu 2026-11-19 16:40:02 CET\r\n",
};

export function terminal(peer, ended) {
	let written = 0;
	let taken = 0;
	let line = "";
	const write = (text) => {
		const bytes = Buffer.from(text);
		peer.send(frame(kinds.output, written, bytes));
		written += bytes.length;
	};
	const run = (command) => {
		if (command === "exit") {
			write("logout\r\n");
			const code = Buffer.alloc(4);
			peer.send(frame(kinds.exit, written, code));
			ended();
			return peer.close();
		}
		if (command.startsWith("echo ")) write(`${command.slice(5)}\r\n`);
		else if (answers[command]) write(answers[command]);
		else if (command) write(`bash: ${command.split(" ")[0]}: command not found\r\n`);
		write(prompt);
	};
	write("\x1b[90mThis is LAP-KRK-0142, Maria Nowak. Recorded.\x1b[0m\r\n\r\n");
	write(prompt);
	for (const command of ["echo zażółć gęślą jaźń", "df -h", "systemctl status cups"]) {
		write(`${command}\r\n`);
		run(command);
	}
	peer.send(frame(kinds.notice, 0, Buffer.from("Maria Nowak allowed it")));
	peer.on("message", (data) => {
		if (data[0] !== kinds.input) return;
		const offset = Number(data.readBigUInt64BE(1));
		const fresh = data.subarray(9).subarray(Math.max(0, taken - offset));
		taken += fresh.length;
		peer.send(frame(kinds.ack, taken));
		for (const c of fresh.toString("utf8")) {
			if (c === "\r") {
				write("\r\n");
				const command = line;
				line = "";
				run(command.trim());
			} else if (c === "\x7f") {
				if (line) write("\b \b");
				line = line.slice(0, -1);
			} else if (c === "\x03") {
				line = "";
				write(`^C\r\n${prompt}`);
			} else {
				line += c;
				write(c);
			}
		}
	});
}
