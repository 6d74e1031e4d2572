declare module "virtual:catalogue/en" {
	import type { Messages } from "@lingui/core";

	const messages: Messages;
	export default messages;
}
declare module "virtual:catalogue/pl" {
	import type { Messages } from "@lingui/core";

	const messages: Messages;
	export default messages;
}
