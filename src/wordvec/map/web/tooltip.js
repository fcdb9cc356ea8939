// The text beside the token under the mouse.

const tooltip = document.getElementById("tooltip");

export const hideTooltip = () => (tooltip.hidden = true);

/** Show text beside a position on a screen of this width. */
export function showTooltip(content, [x, y], width) {
  tooltip.textContent = content;
  tooltip.hidden = false;
  tooltip.style.left = `${Math.min(x + 12, width - tooltip.offsetWidth - 8)}px`;
  tooltip.style.top = `${Math.max(y - tooltip.offsetHeight - 10, 4)}px`;
}
