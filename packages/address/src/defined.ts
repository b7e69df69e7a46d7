/** The member, if there is something in it: nothing is left out of an address by an empty value. */
export function defined<K extends string>(name: K, value: string | null | undefined): { [key in K]?: string } {
  return value ? ({ [name]: value } as { [key in K]: string }) : {}; // a computed key widens to string
}
