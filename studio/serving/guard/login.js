// The login page shows nothing for an answer that it does not know: the sentence of one that says "wait" goes on top of it.
(() => {
	const ask = window.fetch;
	window.fetch = async (...given) => {
		const answer = await ask(...given);
		if (answer.status === 429) {
			const { detail } = await answer.clone().json();
			const line = document.getElementById("login-wait") ?? document.createElement("p");
			Object.assign(line, { id: "login-wait", textContent: detail });
			line.setAttribute("role", "alert");
			line.style.cssText = "margin: 0; padding: 12px; text-align: center; background: #fef3c7; color: #78350f";
			document.body.prepend(line);
		} else {
			document.getElementById("login-wait")?.remove();
		}
		return answer;
	};
})();
