/* Asks before something is gone; what goes wrong is said in the dialog, which then stays open. */
import { setText, show } from "./dom.js";
import { faultOf } from "./words.js";

const find = (name) => document.querySelector(`[data-${name}]`);

/** `act()` does it; the dialog closes once it is done. */
export function confirm({ title, text, yes }, act) {
  const dialog = find("confirm");
  const button = find("confirm-yes");
  const opener = document.activeElement;
  const fault = (said) => {
    setText(find("confirm-error"), said);
    show(find("confirm-error"), Boolean(said));
  };
  setText(find("confirm-title"), title);
  setText(find("confirm-text"), text);
  setText(button, yes);
  fault("");
  button.onclick = async () => {
    button.disabled = true;
    try {
      await act();
      dialog.close();
    } catch (error) {
      fault(faultOf(error));
    }
    button.disabled = false;
  };
  dialog.onclose = () => (opener?.isConnected && opener.checkVisibility() ? opener : document.querySelector("#main")).focus();
  dialog.showModal();
}
