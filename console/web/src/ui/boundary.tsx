/** Holds what may fail to load, as after an update of the console: says so once and goes away; the page below stays. */
import { Component, type ReactNode } from "react";
import { translate } from "../i18n";
import { say } from "./notices";

type Props = { children: ReactNode; failed: () => void };

export class Boundary extends Component<Props, { broken: boolean }> {
	state = { broken: false };

	static getDerivedStateFromError() {
		return { broken: true };
	}

	componentDidCatch() {
		say(translate("wrong.here"));
		this.props.failed();
	}

	render() {
		return this.state.broken ? null : this.props.children;
	}
}
