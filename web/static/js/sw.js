/* The service worker: shows a push while no page is open, and leads to its page when it is clicked. */
const PLAIN = { title: "VabHub", body: "", url: "/" };

const read = (event) => {
  try {
    return { ...PLAIN, ...event.data.json() };
  } catch {
    return PLAIN; // a push without a text still has to show something
  }
};

self.addEventListener("push", (event) => {
  const { id, title, body, type, url } = read(event);
  const options = { body, tag: id, data: { url }, renotify: Boolean(id), requireInteraction: type === "error" };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(new URL(event.notification.data?.url ?? "/", self.location.origin)));
});

async function open(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((page) => page.url === url.href);
  return there ? there.focus() : self.clients.openWindow(url.href);
}
