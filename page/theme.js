// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the system has it, until a person says otherwise.
import { loadPreference, savePreference } from "./preferences.js";

export const themes = ["auto", "light", "dark"];
export const theme = () => (themes.includes(loadPreference("theme")) ? loadPreference("theme") : "auto");

export function useTheme(name) {
  savePreference("theme", name);
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
