/* What the server put into the page: language, texts, first numbers, its clock. */
const holder = document.getElementById("boot");

export const boot = holder ? JSON.parse(holder.content.textContent) : { texts: {}, first: {}, intervals: {} };

export const csrfToken = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
