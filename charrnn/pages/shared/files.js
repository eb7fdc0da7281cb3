/* Files that the reader gives to a page. */

/** Return the text of a file. @throws {Error} it is no text in UTF-8 */
export async function textIn(file) {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(
      `${file.name} cannot be read as UTF-8 text. Perhaps it is UTF-16, or no text at all.`,
    );
  }
}

/** Have a function get the file that is dropped anywhere on the page. */
export function onDrop(take) {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file) {
      event.preventDefault();
      take(file);
    }
  });
}
