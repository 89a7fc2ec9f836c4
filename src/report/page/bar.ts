/** The bar that stays on top: the network's name, the sections, the theme. On small screens the sections fold into a menu. */
import type { Section } from "./context.ts";
import { h } from "./dom.ts";
import { sectionAddress } from "./store.ts";
import { themeSwitch } from "./theme.ts";

export function sectionBar(
  name: string,
  sections: readonly Section[],
  goTo: (section: string) => void,
): HTMLElement {
  const menu = h(
    "button",
    { class: "menu", type: "button", "aria-controls": "sections", "aria-expanded": "false" },
    "Sections",
  );
  const isOpen = () => menu.getAttribute("aria-expanded") === "true";
  const open = (should: boolean) => {
    menu.setAttribute("aria-expanded", String(should));
    bar.classList.toggle("open", should);
  };
  menu.addEventListener("click", () => open(!isOpen()));
  const links = sections.map(({ id, title }) =>
    h(
      "a",
      {
        href: sectionAddress(id),
        onclick: () => {
          open(false);
          // The address of a section that was shown before does not change.
          if (location.hash === sectionAddress(id)) goTo(id);
        },
      },
      title,
    ),
  );
  const bar = h(
    "header",
    { class: "bar" },
    h("a", { class: "brand", href: "#/" }, h("strong", {}, "Brodmann"), h("span", { class: "name" }, name)),
    menu,
    h("nav", { id: "sections", "aria-label": "Sections" }, links),
    themeSwitch(),
  );
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    open(false);
    menu.focus();
  });
  addEventListener("pointerdown", ({ target }) => {
    if (!(target instanceof Node && bar.contains(target))) open(false);
  });
  return bar;
}

/** Marks the section that is being read in the bar's links. */
export function followReader(bar: HTMLElement, sections: readonly HTMLElement[]): void {
  const links = [...bar.querySelectorAll<HTMLAnchorElement>("nav a")];
  // A line in the upper part of the window, where people read.
  const readingLine = { rootMargin: "-20% 0px -79% 0px" };
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const link = links.find(({ hash }) => hash === sectionAddress(target.id));
      if (isIntersecting) link?.setAttribute("aria-current", "true");
      else link?.removeAttribute("aria-current");
    }
  }, readingLine);
  for (const section of sections) observer.observe(section);
}
